/** Judges code answers in the sandbox: the program in the reply, or the whole reply. Expected outputs stay here. */
import type { CodeVerifier, Verdict } from '../shared/domain/question.ts';
import { extractProgram } from '../shared/verify/program.ts';
import type { PythonSandbox } from './runtime/python/contract.ts';
import { judgeCode } from './runtime/python/judge-code.ts';
import type { CodeVerdict, RunChecker } from './runtime/python/judge-code.ts';

export type CodeJudge = (
  verifier: CodeVerifier,
  replyText: string,
  signal: AbortSignal,
) => Promise<{ verdict: Verdict; tier: string; code: CodeVerdict }>;

/** `open` throws `SandboxUnavailable` where no sandbox can be had. */
export function codeJudge(open: () => Promise<PythonSandbox>, runChecker: RunChecker): CodeJudge {
  return async (verifier, replyText, signal) => {
    const sandbox = await open();
    const program = extractProgram(replyText) ?? replyText;
    const code = await judgeCode(verifier, program, sandbox, signal, { runChecker });
    return {
      verdict: { correct: code.correct, ratio: code.ratio, answer: program, how: 'tests' },
      tier: code.tier,
      code,
    };
  };
}
