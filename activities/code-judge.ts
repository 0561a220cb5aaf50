/** Judges code answers in the sandbox. The program is what the reply's last code block holds; expected outputs stay here. */
import type { CodeVerifier, Verdict } from '../shared/domain/question.ts';
import type { PythonSandbox } from './runtime/python/contract.ts';
import { judgeCode } from './runtime/python/judge-code.ts';
import type { CodeVerdict, RunChecker } from './runtime/python/judge-code.ts';

export type CodeJudge = (
  verifier: CodeVerifier,
  replyText: string,
  signal: AbortSignal,
) => Promise<{ verdict: Verdict; tier: string; code: CodeVerdict }>;

const fence = /^ {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*$/;
const python = new Set(['', 'python', 'python3', 'py']);

/** The last closed fenced block that is Python or says no language, else the whole reply. */
export function extractProgram(replyText: string): string {
  let open: { mark: string; language: string; lines: string[] } | null = null;
  let found: string | null = null;
  for (const line of replyText.replaceAll('\r\n', '\n').split('\n')) {
    if (open === null) {
      const match = fence.exec(line);
      if (match !== null) open = { mark: match[1]!, language: match[2]!.toLowerCase(), lines: [] };
    } else if (closes(line, open.mark)) {
      if (python.has(open.language)) found = `${open.lines.join('\n')}\n`;
      open = null;
    } else open.lines.push(line);
  }
  return found ?? replyText;
}

/** At least as long as the opening mark, and nothing after it (CommonMark 4.5). */
function closes(line: string, mark: string): boolean {
  const text = line.trim();
  return text.length >= mark.length && [...text].every((character) => character === mark[0]);
}

/** `open` throws `SandboxUnavailable` where no sandbox can be had. */
export function codeJudge(open: () => Promise<PythonSandbox>, runChecker: RunChecker): CodeJudge {
  return async (verifier, replyText, signal) => {
    const sandbox = await open();
    const program = extractProgram(replyText);
    const code = await judgeCode(verifier, program, sandbox, signal, { runChecker });
    return {
      verdict: { correct: code.correct, ratio: code.ratio, answer: program, how: 'tests' },
      tier: code.tier,
      code,
    };
  };
}
