/** Where in the Designer's text a guest error happened, from the engine's stack text. */
import type { ScriptProblem } from '../../../shared/script/outcomes.ts';

/** The wrapper in front of the script's first line. */
export const wrapperHead = '(async () => {';

/** First frame in the script itself; the runtime's own frames are passed over. */
export function problemOf(thrown: { name: string; message: string; stack: string }): ScriptProblem {
  const frame = /script\.js:(\d+):(\d+)/.exec(thrown.stack);
  const message = thrown.name === 'Error' ? thrown.message : `${thrown.name}: ${thrown.message}`;
  if (frame === null) return { message, line: null, column: null };
  const line = Number(frame[1]);
  const column = Number(frame[2]) - (line === 1 ? wrapperHead.length : 0);
  return { message, line, column: Math.max(column, 1) };
}
