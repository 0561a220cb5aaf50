/** Judges code answers in the sandbox. The program is what the reply's last code block holds; expected outputs stay here. */
import type { CodeVerifier, Verdict } from '../shared/domain/question.ts';
import type { PythonSandbox } from './runtime/python/contract.ts';
import { judgeCode } from './runtime/python/judge-code.ts';

export type CodeJudge = (
  verifier: CodeVerifier,
  replyText: string,
  signal: AbortSignal,
) => Promise<{ verdict: Verdict; tier: string }>;

const fence = /```(?:python|py)?[ \t]*\n([\s\S]*?)```/g;

/** The last fenced block, else the whole reply. */
export function extractProgram(replyText: string): string {
  const blocks = [...replyText.matchAll(fence)];
  return blocks.at(-1)?.[1] ?? replyText;
}

/** Opens the sandbox when the first code question comes; throws `SandboxUnavailable` where none can be had. */
export function codeJudge(open: () => Promise<PythonSandbox>): CodeJudge {
  let sandbox: Promise<PythonSandbox> | undefined;
  return async (verifier, replyText, signal) => {
    sandbox ??= open();
    sandbox.catch(() => (sandbox = undefined));
    const opened = await sandbox;
    const program = extractProgram(replyText);
    const judged = await judgeCode(verifier, program, opened, signal);
    return {
      verdict: { correct: judged.correct, ratio: judged.ratio, answer: program, how: 'tests' },
      tier: opened.tier,
    };
  };
}
