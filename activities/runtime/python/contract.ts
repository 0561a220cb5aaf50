/**
 * What callers ask of the Python sandbox and what it gives back. A program's failure is data, by status; a failure of
 * the sandbox itself is thrown (`SandboxUnavailable`, retryable). Expected outputs are not part of any type that
 * crosses into the sandbox: comparison is `judge-code.ts`, in Node. Nothing here knows Temporal, MongoDB or a model.
 *
 * Tiers, each probed by canaries at start-up and stamped on every result:
 * A bubblewrap + Landlock + seccomp, B bubblewrap + seccomp, C Landlock + seccomp without user namespaces.
 */

export const pythonTiers = ['A', 'B', 'C'] as const;
export type PythonTier = (typeof pythonTiers)[number];

/** Limits of one test. Time is judged on CPU time; wall time only catches programs that wait. */
export interface TestLimits {
  cpuMs: number;
  /** Time in which it had no core is not counted. */
  wallMs: number;
  /** Resident memory, in MiB, of the program with its interpreter (about 12 MiB). */
  memoryMb: number;
  /** Bytes of standard output, and as many of standard error. */
  outputBytes: number;
  /** Threads of the one process that a program has (new processes are always denied). */
  processes: number;
}

/** Limits over all tests of one program. */
export interface ProgramLimits {
  cpuMs: number;
  wallMs: number;
}

export const defaultTestLimits: TestLimits = {
  cpuMs: 5_000,
  wallMs: 15_000,
  memoryMb: 512,
  outputBytes: 1 << 20,
  processes: 32,
};

/** What a `call` test's input text is: one JSON argument a line, one JSON array of arguments, or found by arity. */
export type ArgumentsForm = 'auto' | 'lines' | 'array';

export interface PythonRun {
  /** The program's text. */
  source: string;
  /** `stdio`: input on stdin, answer on stdout. `call`: input is arguments, answer is `functionName`'s value as JSON. */
  style: 'stdio' | 'call';
  /** Needed for `call`: a method of `class Solution`, or a plain function. Found in `starterCode` when null. */
  functionName: string | null;
  starterCode: string | null;
  argumentsForm?: ArgumentsForm;
  tests: readonly { input: string }[];
  limits: TestLimits;
  /** Left out: the per-test limits times the number of tests. */
  programLimits?: ProgramLimits;
  /** Asked after every test, in order; true ends the run (e.g. at the first failure). The slot waits meanwhile. */
  stopWhen?: (result: PythonTestResult, index: number) => boolean | Promise<boolean>;
}

export type PythonStatus = 'ok' | 'time-limit' | 'memory-limit' | 'output-limit' | 'runtime-error' | 'compile-error';

export interface PythonTestResult {
  status: PythonStatus;
  /** Decoded as UTF-8 with replacement; at most `outputBytes` of it. */
  stdout: string;
  /** `call` style and status `ok` only: the returned value as JSON text (tuples and sets as arrays); else null. */
  value: string | null;
  /** Last traceback line, or which limit was passed; null when `ok`. */
  error: string | null;
  /** Last 4 KiB of standard error, for the reader. */
  stderr: string;
  cpuMs: number;
  wallMs: number;
  /** Wall time in which the program was ready and had no core, looked at every 20 ms; no limit counts it. */
  starvedMs: number;
}

export interface PythonResult {
  tier: PythonTier;
  /** One per test that ran, in order. Shorter than `tests` when the run ended early. */
  tests: PythonTestResult[];
  /** Why later tests did not run; null when all did. */
  stopped: 'asked' | 'program-limit' | null;
  cpuMs: number;
  wallMs: number;
}

export interface PythonSandbox {
  readonly tier: PythonTier;
  /** Why this tier, and why not a stronger one; for `doctor` and logs. */
  readonly reason: string;
  /**
   * Runs a program on its tests, waiting for a free slot first. Throws `InvalidInput` for a request that cannot be
   * meant, `SandboxUnavailable` when the sandbox itself failed, and `signal.reason` when aborted.
   */
  run(request: PythonRun, signal?: AbortSignal): Promise<PythonResult>;
  /** Ends every process and removes every scratch folder. Runs in flight are rejected. */
  close(): Promise<void>;
}

export interface PythonSandboxOptions {
  /** Programs at a time; one fork server each. Default 2. */
  workers?: number;
  /** Weaker tiers are refused. Default `C`. */
  minTier?: PythonTier;
  /** Tiers to try, strongest first; default all three. `['C']` forces C. */
  tiers?: readonly PythonTier[];
  /** Default `/usr/bin/python3`, else `python3` on PATH. */
  python?: string;
  /** Default `bwrap` on PATH. */
  bubblewrap?: string;
  /** Tests that a fork server runs before it is replaced. Default 500. */
  testsPerServer?: number;
}
