/**
 * Does a small run wait behind a big one on a shared queue? A big run fills the queue of one gpu worker with few slots; then a
 * small run starts. Its time alone, beside the big run on the server as it comes, and with fairness switched on.
 */
import { show } from '../sandbox/row.ts';
import { startFleet } from './fleet.ts';
import type { WorkerWish } from './fleet.ts';
import { iterationTimes, oneIteration, train } from './train.ts';

const workers: readonly WorkerWish[] = [
  { queue: 'control', engine: 'simulated', slots: 8 },
  { queue: 'gpu', engine: 'simulated', slots: 8 },
  { queue: 'sandbox', engine: 'simulated', slots: 8 },
];
const fair = ['matching.useNewMatcher=true', 'matching.enableFairness=true'].flatMap((value) => [
  '--dynamic-config-value',
  value,
]);
const questions = { small: 4, big: 96 };

export async function measureFairness(): Promise<void> {
  await alone();
  await beside('beside a big run, server as it comes', []);
  await beside('beside a big run, fairness on', fair);
}

async function alone(): Promise<void> {
  const fleet = await startFleet(workers);
  try {
    await train(fleet, 'small', oneIteration(questions.small, 400));
    const [times] = await iterationTimes(fleet, 'small');
    show(`small run (${questions.small} questions) alone`, seconds(times!));
  } finally {
    await fleet.stop();
  }
}

async function beside(what: string, temporalArgs: readonly string[]): Promise<void> {
  const fleet = await startFleet(workers, temporalArgs);
  try {
    const big = train(fleet, 'big', oneIteration(questions.big, 400));
    while ((await fleet.store.executions.countDocuments({ runId: 'big' })) === 0)
      await new Promise((resolve) => setTimeout(resolve, 100));
    await train(fleet, 'small', oneIteration(questions.small, 400));
    const doneAtSmallEnd = await fleet.store.executions.countDocuments({ runId: 'big' });
    await big;
    const [[small], [large]] = [await iterationTimes(fleet, 'small'), await iterationTimes(fleet, 'big')];
    const share = doneAtSmallEnd / large!.executions;
    show(
      `small run ${what}`,
      `${seconds(small!)}; the big one had ${(100 * share).toFixed(0)} % done, ${seconds(large!)} in all`,
    );
  } finally {
    await fleet.stop();
  }
}

const seconds = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => `${((toMs - fromMs) / 1000).toFixed(1)} s`;
