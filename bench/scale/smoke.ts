/** Orchestration's share of an iteration's wall time on the smoke recipe, with the real engine, scripts and updates. */
import { met, quantile, show } from '../sandbox/row.ts';
import { iterationPath } from './critical-path.ts';
import { startFleet } from './fleet.ts';
import type { WorkerWish } from './fleet.ts';
import { iterationTimes, train } from './train.ts';

const workersWith = (engine: WorkerWish['engine'], speed = 1): WorkerWish[] =>
  (['control', 'gpu', 'sandbox'] as const).map((queue) => ({ queue, engine, slots: 64, speed }));
export const smokeWorkers: readonly WorkerWish[] = workersWith('real');
const goalShare = 0.1;

const wide = ['rollout.questionsPerIteration=16', 'rollout.designsPerQuestion=4', 'rollout.executionsPerDesign=4'];
const untrained = ['coldStart={"type":"none"}'];

interface Case {
  workers: readonly WorkerWish[];
  set: readonly string[];
}

/**
 * As it is; with as many questions, designs and executions as keep the engine's batch full; and beside calls that take as
 * long as recorded ones did (medians of 165 and 144 ms), and eight times as long: larger models, longer replies.
 */
const cases: Record<string, Case> = {
  smoke: { workers: smokeWorkers, set: [] },
  'smoke, 16 x 4 x 4': { workers: smokeWorkers, set: wide },
  'recorded calls': { workers: workersWith('simulated'), set: untrained },
  'recorded calls x 8': { workers: workersWith('simulated', 1 / 8), set: untrained },
  'recorded calls x 8, 16 x 4 x 4': { workers: workersWith('simulated', 1 / 8), set: [...untrained, ...wide] },
};

export async function measureSmoke(): Promise<void> {
  for (const [name, each] of Object.entries(cases)) await measure(name, each);
}

async function measure(name: string, { workers, set }: Case): Promise<void> {
  const fleet = await startFleet(workers);
  try {
    const runId = 'scale-smoke';
    await train(fleet, runId, ['evaluation.limit=0', ...set]);
    const times = await iterationTimes(fleet, runId);
    const lines = await fleet.endWorkers();
    const shares = times.map((times) => {
      const path = iterationPath(lines, { ...times, width: Infinity });
      const wallMs = times.toMs - times.fromMs;
      const overheadMs = wallMs - path.withScriptsMs - path.updateMs;
      const parts = `model and scripts ${path.withScriptsMs.toFixed(0)}, update ${path.updateMs.toFixed(0)}, ${path.calls} calls`;
      show(`${name} ${times.place}: wall ${wallMs.toFixed(0)} ms`, `rest ${overheadMs.toFixed(0)} ms (${parts})`);
      return { wallMs, overheadMs };
    });
    const sum = (pick: (row: (typeof shares)[number]) => number) => shares.reduce((total, row) => total + pick(row), 0);
    const share = sum(({ overheadMs }) => overheadMs) / sum(({ wallMs }) => wallMs);
    const median = quantile(
      shares.map(({ overheadMs }) => overheadMs),
      0.5,
    );
    show(
      `${name}: orchestration, share of wall time`,
      `${(100 * share).toFixed(1)} % (median ${median.toFixed(0)} ms an iteration)`,
      met(share <= goalShare, '≤ 10 %'),
    );
  } finally {
    await fleet.stop();
  }
}
