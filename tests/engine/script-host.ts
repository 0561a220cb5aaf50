/** A caller of the script pool for tests: answers by rule, keeps what was asked, recorded and shown. */
import type {
  HostAnswer,
  HostCall,
  JournalRecord,
  ScriptOutcome,
  ScriptPool,
  ScriptRun,
} from '../../activities/runtime/script/contract.ts';

export type Voice = (call: HostCall) => string | Partial<HostAnswer>;

export interface Heard {
  outcome: ScriptOutcome;
  asked: HostCall[];
  records: JournalRecord[];
}

/** Answers are one token a word, so that usage can be counted by hand. */
export const words = (text: string) => text.split(/\s+/).filter((word) => word !== '').length;

export const answerOf = (text: string) => /Answer: (.+)$/m.exec(text)?.[1] ?? null;

export function answered(given: string | Partial<HostAnswer>): HostAnswer {
  const partial = typeof given === 'string' ? { text: given } : given;
  const text = partial.text ?? '';
  return { promptTokens: 1, responseTokens: words(text), status: 'ok', ...partial, text };
}

/** Runs one script; `voice` says what each call is answered with. */
export async function play(
  pool: ScriptPool,
  script: string,
  voice: Voice,
  extra: Partial<ScriptRun> = {},
): Promise<Heard> {
  const asked: HostCall[] = [];
  const records: JournalRecord[] = [];
  const outcome = await pool.run({
    executionId: 'test',
    script,
    question: 'What is 6 times 7?',
    seedKey: 'test',
    promptForm: 'terse',
    perform: async (call) => {
      asked.push(call);
      return answered(voice(call));
    },
    record: async (record) => {
      records.push(record);
    },
    extractAnswer: answerOf,
    answersEqual: (left, right) => left.toLowerCase() === right.toLowerCase(),
    ...extra,
  });
  return { outcome, asked, records };
}

/** The user's message of a model call. */
export const userText = (call: HostCall) =>
  call.kind === 'model' ? (call.messages.at(-1)?.content ?? '') : call.input;
export const systemText = (call: HostCall) =>
  call.kind === 'model' && call.messages[0]?.role === 'system' ? call.messages[0].content : '';

export const messagesOf = (call: HostCall | undefined) => (call?.kind === 'model' ? call.messages : []);
export const partOf = (call: HostCall) => (call.kind === 'model' ? call.part : 'tool');
