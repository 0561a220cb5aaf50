/**
 * Runs a question's own rule of equality in an isolate: the rule may be wrong and the output it reads is a model's, so
 * neither may hold this process. A rule that throws, passes a limit or says neither true nor false does not accept.
 * Knows no question and no sandbox.
 */
import { DomainError } from '../../../shared/errors.ts';
import { checkerProblem } from '../../../shared/verify/checker.ts';
import type { ScriptPool } from './contract.ts';

const limits = { calls: 1, toolCalls: 1, cpuMs: 2_000, memoryBytes: 128 << 20, wallMs: 60_000, literalChars: 1 << 20 };

const programOf = (checker: string) => `const { input, expected, output } = JSON.parse(question);
const verdict = await (${checker}
)(input, expected, output);
if (typeof verdict !== 'boolean') throw new TypeError('the checker gives true or false; got ' + typeof verdict);
return String(verdict);`;

const nothing = () => Promise.reject(new Error('internal: a checker asked for a call'));

/** Throws `InvalidInput` for a text that is no function, `SandboxUnavailable`, or `signal.reason`. */
export const checkerRunner =
  (scripts: Pick<ScriptPool, 'run'>) =>
  async (
    checker: string,
    texts: { input: string; expected: string; output: string },
    signal?: AbortSignal,
  ): Promise<{ accepted: boolean; error: string | null }> => {
    const problem = checkerProblem(checker);
    if (problem !== null) throw new DomainError('InvalidInput', `the checker of a code question ${problem}`);
    const { input, expected, output } = texts;
    const script = programOf(checker);
    const { outcome, reply, error } = await scripts.run({
      executionId: 'checker',
      script,
      question: JSON.stringify({ input, expected, output }),
      seedKey: 'checker',
      promptForm: 'terse',
      limits: { ...limits, scriptChars: script.length },
      allowAuthored: true,
      perform: nothing,
      extractAnswer: () => null,
      answersEqual: () => false,
      ...(signal === undefined ? {} : { signal }),
    });
    if (outcome === 'replied') return { accepted: reply?.text === 'true', error: null };
    return { accepted: false, error: `the checker gave no verdict: ${error?.message ?? outcome}` };
  };
