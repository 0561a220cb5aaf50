/**
 * Judges a program against a question's tests: runs them in the sandbox, compares here. A program's failure is a
 * verdict; the sandbox's own failure is thrown, and is never one. Knows no reply format: it is given the program.
 */
import type { CodeTest, CodeVerifier } from '../../../shared/domain/question.ts';
import { DomainError } from '../../../shared/errors.ts';
import { sameOutput, sameValue } from './compare.ts';
import { defaultTestLimits } from './contract.ts';
import type {
  ProgramLimits,
  PythonSandbox,
  PythonStatus,
  PythonTestResult,
  PythonTier,
  TestLimits,
} from './contract.ts';
import { parseJson } from './json-text.ts';
import type { JsonTree } from './json-text.ts';

export type CodeStatus = 'accepted' | 'wrong-answer' | Exclude<PythonStatus, 'ok'>;

export interface CodeTestVerdict {
  status: CodeStatus;
  /** Last traceback line, which limit, or why a checker gave no answer; null when the program ended well. */
  error: string | null;
  cpuMs: number;
  wallMs: number;
}

export interface CodeVerdict {
  /** Every test ran and was accepted. */
  correct: boolean;
  /** Of the first test that was not accepted; `accepted` when all were. */
  status: CodeStatus;
  passed: number;
  total: number;
  /** passed / total: tests that did not run count as not passed. */
  ratio: number;
  error: string | null;
  /** One per test that ran, in order. */
  tests: CodeTestVerdict[];
  /** Why later tests did not run; null when all did. */
  stopped: 'first-failure' | 'program-limit' | null;
  tier: PythonTier;
  cpuMs: number;
  wallMs: number;
}

/** What a question's own rule says. `error`: why it said nothing, which counts as not accepted. */
export interface Checked {
  accepted: boolean;
  error: string | null;
}

/** Runs a question's checker on one output: standard output, or the value as JSON text. Never inside the sandbox. */
export type RunChecker = (
  checker: string,
  texts: { input: string; expected: string; output: string },
  signal?: AbortSignal,
) => Promise<Checked>;

export interface JudgeOptions {
  /** Default false: all tests run, so that `ratio` means something. */
  stopAtFirstFailure?: boolean;
  /** Needed for questions whose `compare` is `checker`. */
  runChecker?: RunChecker;
  limits?: Partial<TestLimits>;
  programLimits?: ProgramLimits;
}

/** Wall time beyond CPU time: on a loaded machine 1 s of CPU takes 2 to 3 s. */
const wallFactor = 3;
const wallExtraMs = 1_000;
/** The most CPU time that one program may use over all its tests, unless one test is allowed more. */
const programCpuMs = 120_000;

function limitsOf(verifier: CodeVerifier, changes: Partial<TestLimits> = {}): TestLimits {
  // Room for the longest answer, in whole MiB: the sandbox learns no expected length from it.
  const longest = Math.max(0, ...verifier.tests.map((test) => Buffer.byteLength(test.expected)));
  const mebibytes = Math.min(64, 1 + Math.ceil((longest * 2) / 2 ** 20));
  return {
    ...defaultTestLimits,
    cpuMs: Math.ceil(verifier.timeLimitMs),
    wallMs: Math.ceil(verifier.timeLimitMs * wallFactor + wallExtraMs),
    memoryMb: Math.ceil(verifier.memoryLimitMb),
    outputBytes: mebibytes * 2 ** 20,
    ...changes,
  };
}

function programLimitsOf(limits: TestLimits, tests: number): ProgramLimits {
  const cpuMs = Math.min(limits.cpuMs * tests, Math.max(programCpuMs, limits.cpuMs));
  return { cpuMs, wallMs: cpuMs * wallFactor + wallExtraMs * tests };
}

function expectedValue(test: CodeTest, index: number): JsonTree {
  try {
    return parseJson(test.expected);
  } catch (error) {
    throw new DomainError(
      'InvalidInput',
      `test ${index + 1} of a 'call' question expects ${test.expected.slice(0, 80)}, which is not JSON: write the returned value as JSON`,
      { test: index },
      { cause: error },
    );
  }
}

type Accepts = (result: PythonTestResult, index: number) => Checked | Promise<Checked>;
const plainly = (accepted: boolean): Checked => ({ accepted, error: null });

/** Prepared once: bad expected values are found before a program runs. */
function acceptance(verifier: CodeVerifier, { runChecker }: JudgeOptions, signal?: AbortSignal): Accepts {
  const { tests, compare, style } = verifier;
  const outputOf = (result: PythonTestResult) => (style === 'call' ? (result.value ?? '') : result.stdout);
  if (compare === 'checker') {
    const checker = checkerOf(verifier);
    if (runChecker === undefined) throw new Error('internal: a question with a checker needs a way to run it');
    return (result, index) => runChecker(checker, { ...tests[index]!, output: outputOf(result) }, signal);
  }
  if (style === 'stdio') return (result, index) => plainly(sameOutput(tests[index]!.expected, result.stdout, compare));
  const expected = tests.map(expectedValue);
  return (result, index) => {
    try {
      return plainly(sameValue(expected[index]!, parseJson(outputOf(result)), compare));
    } catch {
      // A program that ended itself before its function returned gave no value.
      return plainly(false);
    }
  };
}

function checkerOf({ checker }: CodeVerifier): string {
  if (checker !== undefined) return checker;
  throw new DomainError(
    'InvalidInput',
    "a code question has compare 'checker' but no checker: add the field 'checker'",
  );
}

/** Throws `InvalidInput` for a question that cannot be judged, `SandboxUnavailable` (retryable), or `signal.reason`. */
export async function judgeCode(
  verifier: CodeVerifier,
  source: string,
  sandbox: PythonSandbox,
  signal?: AbortSignal,
  options: JudgeOptions = {},
): Promise<CodeVerdict> {
  if (verifier.tests.length === 0) {
    throw new DomainError('InvalidInput', 'a code question has no tests: nothing can be judged; give at least one');
  }
  const accepts = acceptance(verifier, options, signal);
  const limits = limitsOf(verifier, options.limits);
  const verdicts: CodeTestVerdict[] = [];
  const judged = async (result: PythonTestResult, index: number) => {
    const { cpuMs, wallMs } = result;
    const checked = result.status === 'ok' ? await accepts(result, index) : null;
    const status =
      result.status !== 'ok' ? result.status : checked?.accepted === true ? 'accepted' : ('wrong-answer' as const);
    verdicts.push({ status, error: result.error ?? checked?.error ?? null, cpuMs, wallMs });
    // A text that does not compile fails every test in the same way.
    return status === 'compile-error' || (options.stopAtFirstFailure === true && status !== 'accepted');
  };
  const run = await sandbox.run(
    {
      source,
      style: verifier.style,
      functionName: verifier.functionName,
      starterCode: verifier.starterCode,
      argumentsForm: verifier.argumentsForm ?? 'auto',
      tests: verifier.tests.map((test) => ({ input: test.input })),
      limits,
      programLimits: options.programLimits ?? programLimitsOf(limits, verifier.tests.length),
      stopWhen: judged,
    },
    signal,
  );
  return summary(verdicts, verifier.tests.length, run);
}

function summary(
  tests: CodeTestVerdict[],
  total: number,
  run: { stopped: 'asked' | 'program-limit' | null; tier: PythonTier; cpuMs: number; wallMs: number },
): CodeVerdict {
  const passed = tests.filter((test) => test.status === 'accepted').length;
  const failed = tests.find((test) => test.status !== 'accepted');
  const spent = run.stopped === 'program-limit' && failed === undefined;
  return {
    correct: passed === total,
    status: failed?.status ?? (spent ? 'time-limit' : 'accepted'),
    passed,
    total,
    ratio: passed / total,
    error: failed?.error ?? (spent ? `the time for all tests was used up after ${passed} of ${total}` : null),
    tests,
    stopped: run.stopped === 'asked' ? 'first-failure' : run.stopped,
    tier: run.tier,
    cpuMs: run.cpuMs,
    wallMs: run.wallMs,
  };
}
