/**
 * Runs one program on its tests in one slot: checks the request, gives each test what is left of the program's budget,
 * stops when asked. Knows how a test is asked for, not what its answer should be.
 */
import { DomainError } from '../../../shared/errors.ts';
import type { PythonResult, PythonRun, PythonTestResult, PythonTier, TestLimits } from './contract.ts';
import type { Frame } from './frames.ts';
import type { Slots } from './slots.ts';

const name = /^[A-Za-z_][A-Za-z0-9_]*$/;

function refuse(what: string, data: Record<string, unknown> = {}): never {
  throw new DomainError('InvalidInput', what, data);
}

function checkLimit(limit: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  refuse(`Python limit ${limit} is ${value}: give a whole number from ${least} to ${most}`, { limit, value });
}

/** The function that a call-style program is asked for: given, or the first one that the starter code defines. */
export function calledFunction(run: Pick<PythonRun, 'functionName' | 'starterCode'>): string {
  const found = run.functionName ?? /^\s*(?:async\s+)?def\s+([A-Za-z_]\w*)/m.exec(run.starterCode ?? '')?.[1];
  if (found === undefined) {
    refuse("a 'call' question names no function: set functionName, or starterCode with a 'def'");
  }
  const last = found.slice(found.lastIndexOf('.') + 1);
  if (!name.test(last)) refuse(`'${found}' is not a Python function name`, { functionName: found });
  return last;
}

function checkRun(run: PythonRun): void {
  checkLimit('cpuMs', run.limits.cpuMs, 1, 3_600_000);
  checkLimit('wallMs', run.limits.wallMs, 1, 3_600_000);
  checkLimit('memoryMb', run.limits.memoryMb, 32, 1 << 20);
  checkLimit('outputBytes', run.limits.outputBytes, 1, 64 << 20);
  checkLimit('processes', run.limits.processes, 1, 1_024);
}

/** What is left of the program's budget, as limits of the next test; null when nothing is. */
function remaining(run: PythonRun, cpuMs: number, wallMs: number): TestLimits | null {
  if (run.programLimits === undefined) return run.limits;
  const cpuLeft = Math.floor(run.programLimits.cpuMs - cpuMs);
  const wallLeft = Math.floor(run.programLimits.wallMs - wallMs);
  if (cpuLeft < 1 || wallLeft < 1) return null;
  return { ...run.limits, cpuMs: Math.min(run.limits.cpuMs, cpuLeft), wallMs: Math.min(run.limits.wallMs, wallLeft) };
}

function testResult(frame: Frame, style: PythonRun['style']): PythonTestResult {
  const header = frame.header as Pick<PythonTestResult, 'status' | 'error' | 'cpuMs' | 'wallMs' | 'starvedMs'>;
  const [stdout, stderr, value] = frame.parts.map((part) => part.toString('utf8'));
  return {
    status: header.status,
    stdout: stdout ?? '',
    value: style === 'call' && header.status === 'ok' ? (value ?? '') : null,
    error: header.error,
    stderr: stderr ?? '',
    cpuMs: header.cpuMs,
    wallMs: header.wallMs,
    starvedMs: header.starvedMs,
  };
}

/** Rejects with `InvalidInput`, `SandboxUnavailable` or `signal.reason`. */
export async function runProgram(
  slots: Slots,
  tier: PythonTier,
  run: PythonRun,
  signal?: AbortSignal,
): Promise<PythonResult> {
  checkRun(run);
  const request = {
    style: run.style,
    functionName: run.style === 'call' ? calledFunction(run) : null,
    argumentsForm: run.argumentsForm ?? 'auto',
  };
  const source = Buffer.from(run.source);
  const result: PythonResult = { tier, tests: [], stopped: null, cpuMs: 0, wallMs: 0 };
  const slot = await slots.acquire(signal);
  try {
    for (const [index, test] of run.tests.entries()) {
      const limits = remaining(run, result.cpuMs, result.wallMs);
      if (limits === null) {
        result.stopped = 'program-limit';
        break;
      }
      const frame = await slots.ask(
        slot,
        { ...request, limits },
        [source, Buffer.from(test.input)],
        limits.wallMs,
        signal,
      );
      const answer = testResult(frame, run.style);
      result.tests.push(answer);
      result.cpuMs += answer.cpuMs;
      result.wallMs += answer.wallMs - answer.starvedMs;
      if ((await run.stopWhen?.(answer, index)) === true && index + 1 < run.tests.length) {
        result.stopped = 'asked';
        break;
      }
    }
  } finally {
    slots.release(slot);
  }
  return result;
}
