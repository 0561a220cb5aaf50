/** Where in the Designer's text a guest error happened, from the engine's stack text. */
import type { ScriptProblem } from '../../../shared/script/outcomes.ts';

/** The wrapper in front of the script. A line of its own: the engine counts the columns of a text's first line otherwise. */
export const wrapperHead = '(async () => {\n';

/** First frame in the script itself; the runtime's own frames are passed over. */
export function problemOf(thrown: { name: string; message: string; stack: string }): ScriptProblem {
  const frame = /script\.js:(\d+):(\d+)/.exec(thrown.stack);
  const message = thrown.name === 'Error' ? thrown.message : `${thrown.name}: ${thrown.message}`;
  if (frame === null) return { message, line: null, column: null };
  return { message, line: Math.max(Number(frame[1]) - 1, 1), column: Number(frame[2]) };
}
