/**
 * Stubbed answers of several shapes, to try a design before it costs a model call. A shape fixes what every agent says;
 * critics and routers answer in their typed form, or not at all in the shapes that test a model that does not.
 */
import type { HostAnswer, HostCall, ScriptRun } from './contract.ts';

type Stub = Pick<ScriptRun, 'perform' | 'extractAnswer' | 'answersEqual'>;

const stubbed = (text: string): HostAnswer => ({ text, promptTokens: 1, responseTokens: 1, status: 'ok' });

/** What a call's part says in one shape. */
interface Voices {
  answer: (call: HostCall) => string;
  verdict: string;
  /** Which of the routes a router names, or null for none. */
  route: boolean;
}

function speak(voices: Voices, call: HostCall): HostAnswer {
  if (call.kind === 'tool') return stubbed('4');
  if (call.part === 'critic') return stubbed(`VERDICT: ${voices.verdict}`);
  if (call.part === 'router' && voices.route)
    return stubbed(routeIn(call.messages.map(({ content }) => content).join('\n')));
  return stubbed(voices.answer(call));
}

/** The first route that the router's messages offer, in either prompt form. */
const routeIn = (text: string) => /one of: ([^,.\n]+)/.exec(text)?.[1] ?? /^route ([^|\n]+)/m.exec(text)?.[1] ?? '';

const stubOf = (voices: Voices) => (): Stub => ({
  perform: async (call) => speak(voices, call),
  extractAnswer: (text) => /Answer: (.+)$/m.exec(text)?.[1] ?? null,
  answersEqual: (left, right) => left === right,
});

export const dryRunShapes: readonly { shape: string; stub: () => Stub }[] = [
  { shape: 'agreeing', stub: stubOf({ answer: () => 'So it is.\nAnswer: 4', verdict: 'ACCEPT', route: true }) },
  { shape: 'disagreeing', stub: stubOf({ answer: ({ call }) => `Answer: ${call}`, verdict: 'REVISE', route: true }) },
  { shape: 'no-answer', stub: stubOf({ answer: () => 'I do not know.', verdict: 'UNSURE', route: false }) },
  { shape: 'empty', stub: stubOf({ answer: () => '', verdict: '', route: false }) },
];
