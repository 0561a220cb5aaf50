/** Python tests on two slots: start of the sandbox, tests per second, latency of one test, at each tier that holds. */
import { availableParallelism } from 'node:os';
import { defaultTestLimits, pythonTiers } from '../../activities/runtime/python/contract.ts';
import type { PythonSandbox, PythonTier } from '../../activities/runtime/python/contract.ts';
import { openPythonSandbox } from '../../activities/runtime/python/open-sandbox.ts';
import { isDomainError } from '../../shared/errors.ts';
import { median, met, quantile, show } from './row.ts';

const slots = 2;
const rounds = 5;
const testsPerProgram = 100;
const program = 'print(2 * int(input()))';
const tests = Array.from({ length: testsPerProgram }, (_, n) => ({ input: `${n}\n` }));
const shared = {
  source: program,
  style: 'stdio',
  functionName: null,
  starterCode: null,
  limits: defaultTestLimits,
} as const;

/** Latencies of all tests of one program, as the judge sees them, in ms. */
async function oneProgram(sandbox: PythonSandbox): Promise<number[]> {
  const latencies: number[] = [];
  let began = performance.now();
  const stopWhen = ({ stdout }: { stdout: string }, index: number) => {
    if (stdout !== `${2 * index}\n`) throw new Error(`test ${index} printed ${JSON.stringify(stdout)}`);
    const now = performance.now();
    latencies.push(now - began);
    began = now;
    return false;
  };
  await sandbox.run({ ...shared, tests, stopWhen });
  return latencies;
}

async function measureTier(tier: PythonTier): Promise<void> {
  const began = performance.now();
  const sandbox = await openPythonSandbox({ tiers: [tier], workers: slots });
  const openedMs = performance.now() - began;
  await Promise.all(Array.from({ length: slots }, () => oneProgram(sandbox)));
  const rates: number[] = [];
  const latencies: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const from = performance.now();
    const all = await Promise.all(Array.from({ length: slots }, () => oneProgram(sandbox)));
    rates.push(((slots * testsPerProgram) / (performance.now() - from)) * 1000);
    latencies.push(...all.flat());
  }
  await sandbox.close();
  const [rate, p90] = [median(rates), quantile(latencies, 0.9)];
  const where = `tier ${tier}, ${slots} slots on ${availableParallelism()} cores`;
  const goal = (isMet: boolean, text: string) => (tier === 'A' ? met(isMet, text) : '');
  show(`Python tests, ${where}`, `${rate.toFixed(0)} a second (${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)})`, goal(rate >= 300, '>= 300')); // prettier-ignore
  show('  latency of a test', `p50 ${median(latencies).toFixed(1)}, p90 ${p90.toFixed(1)}, p99 ${quantile(latencies, 0.99).toFixed(1)} ms`, goal(p90 < 10, 'p90 < 10 ms')); // prettier-ignore
  show('  opening, canaries included', `${openedMs.toFixed(0)} ms`);
}

export async function measurePython(): Promise<void> {
  for (const tier of pythonTiers) {
    try {
      await measureTier(tier);
    } catch (error) {
      if (!isDomainError(error, 'SandboxUnavailable')) throw error;
      show(`Python tests, tier ${tier}`, 'not available here', '');
      console.error(error.message);
    }
  }
}
