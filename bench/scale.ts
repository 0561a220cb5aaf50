/**
 * The control plane beside a model that is not there: the real workflows, activities, journal, isolates, store and Temporal
 * server against a simulated engine, one iteration of 1x, 4x and 16x questions; and what orchestration costs the smoke
 * recipe with its real engine; what a step costs that does nothing; whether a big run starves a small one on a shared queue;
 * what heartbeats cost; and what gpu workers of one run read from the store. Servers and data are its own and go when it ends.
 *
 *   npm run bench:scale -- [growth|smoke|floor|fairness|heartbeats|sharing|record ...] [--questions 32,128,512] [--gpu-workers 2] [--slots 12800] [--profile DIR]
 *
 * `record` writes bench/scale/calls.json from a real run: the latencies and replies that the simulation draws from.
 */
import { parseArgs } from 'node:util';
import { measureFairness } from './scale/fairness.ts';
import { measureFloor } from './scale/floor.ts';
import { measureGrowth } from './scale/growth.ts';
import { measureHeartbeats } from './scale/heartbeats.ts';
import { recordCalls } from './scale/record.ts';
import { measureSharing } from './scale/sharing.ts';
import { measureSmoke } from './scale/smoke.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    questions: { type: 'string', default: '32,128,512' },
    'gpu-workers': { type: 'string', default: '2' },
    /** 200 workers of 64. */
    slots: { type: 'string', default: '12800' },
    window: { type: 'string', default: '400' },
    profile: { type: 'string' },
  },
});
const parts: Record<string, () => Promise<void>> = {
  growth: () =>
    measureGrowth({
      sizes: values.questions.split(',').map(Number),
      gpuWorkers: Number(values['gpu-workers']),
      slots: Number(values.slots),
      window: Number(values.window),
      profile: values.profile,
    }),
  smoke: measureSmoke,
  floor: measureFloor,
  fairness: measureFairness,
  heartbeats: measureHeartbeats,
  sharing: measureSharing,
  record: recordCalls,
};
const unknown = positionals.find((name) => !(name in parts));
if (unknown !== undefined) {
  console.error(`there is no part '${unknown}': expected some of ${Object.keys(parts).join(', ')}`);
  process.exit(2);
}
for (const name of positionals.length === 0
  ? ['growth', 'smoke', 'floor', 'fairness', 'heartbeats', 'sharing']
  : positionals)
  await parts[name]!();
