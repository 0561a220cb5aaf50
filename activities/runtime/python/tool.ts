/**
 * The `python` tool that a design may grant to an agent: runs a snippet, gives back what it printed. A snippet without
 * output whose last line is an expression gives that expression's value, as an interactive Python would.
 */
import { defaultTestLimits } from './contract.ts';
import type { PythonSandbox, PythonStatus, TestLimits } from './contract.ts';

export interface PythonToolResult {
  status: PythonStatus;
  /** At most `textChars` characters, with a mark where it was cut. */
  stdout: string;
  /** Last traceback line, or which limit was passed; null when `ok`. */
  error: string | null;
}

export interface PythonToolLimits extends Partial<TestLimits> {
  /** Characters of output that an agent is shown. */
  textChars?: number;
}

const toolLimits: TestLimits = { ...defaultTestLimits, outputBytes: 64 << 10 };
const defaultTextChars = 4_000;

/** Keeps the beginning and the end: results often come last. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = Math.floor(most / 2);
  return `${text.slice(0, half)}\n… ${text.length - 2 * half} characters left out …\n${text.slice(-half)}`;
}

/** The snippet with its last expression shown when nothing else was printed. Line numbers of the snippet are kept. */
function echoing(code: string): string {
  return `import ast as _a, sys as _s
_t = _a.parse(${JSON.stringify(code)}, 'solution.py')
_g = {'__name__': '__main__', '__builtins__': __builtins__}
_l = _t.body.pop() if _t.body and isinstance(_t.body[-1], _a.Expr) else None
exec(compile(_t, 'solution.py', 'exec'), _g)
if _l is not None:
    _v = eval(compile(_a.Expression(_l.value), 'solution.py', 'eval'), _g)
    if _v is not None: print(repr(_v))
`;
}

/** Throws `SandboxUnavailable` or `signal.reason`; everything that the snippet does is a result. */
export async function runPythonTool(
  sandbox: PythonSandbox,
  code: string,
  limits: PythonToolLimits = {},
  signal?: AbortSignal,
): Promise<PythonToolResult> {
  const { textChars = defaultTextChars, ...changes } = limits;
  const result = await sandbox.run(
    {
      source: echoing(code),
      style: 'stdio',
      functionName: null,
      starterCode: null,
      tests: [{ input: '' }],
      limits: { ...toolLimits, ...changes },
    },
    signal,
  );
  const test = result.tests[0]!;
  return {
    status: test.status,
    stdout: shortened(test.stdout, textChars),
    error: test.error === null ? null : shortened(test.error, 1_000),
  };
}
