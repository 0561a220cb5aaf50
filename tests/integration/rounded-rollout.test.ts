/** An iteration that samples with rounded linears: what is stored is the rounded policy's, what is learned from starts at the trainer's own. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PolicyResidence } from '../../activities/policy/residence.ts';
import { readTrainingSequences } from '../../activities/policy/training-sequences.ts';
import type { TrainingPrecision } from '../../activities/runtime/engine/contract.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { hasByteProducts } from '../helpers/byte-products.ts';
import { connectServers, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

let servers: TestServers;
let worker: WorkerProcess;
beforeAll(async () => {
  servers = await connectServers();
  worker = await startWorkerProcess('all');
});
afterAll(async () => {
  await worker.stop();
  await servers.close();
});

const kinds = [
  ['int8', 'float32', 1e-4],
  ['bfloat16', 'bfloat16', 0.05],
] as const;
const possible = kinds.filter(([weights]) => weights !== 'int8' || hasByteProducts);

it.each(possible)('samples in %s and recomputes the old log-probs in %s', async (weights, precision, driftLimit) => {
  const runId = `rounded-rollout-${weights}`;
  const set = [
    `rollout.weights=${weights}`,
    `update.precision=${precision}`,
    'update.dropZeroAdvantage=false',
    // Whatever a rounded Designer would write: every execution has a call.
    'stages.scheme=executor-only',
    'designs.script=return agent("steps");',
    'rollout.questionsPerIteration=8',
  ];
  await trainTinyRun(servers, runId, set);
  const { store } = servers;
  const [iteration] = await store.iterations.find({ runId }).toArray();
  const { policyIn, metrics } = iteration!;
  const batchId = iteration!._id;
  const sequences = await readTrainingSequences(store, { batchId, role: 'executor', dropZeroAdvantage: false });
  const engine = new LocalEngine(resolveTemporalConfig({}).engine);
  const use = { runId, version: policyIn, role: 'executor', layout: 'shared' } as const;
  const residence = new PolicyResidence(store, engine);
  const gapsTo = async (trainer: TrainingPrecision) => {
    const own = await residence.with(use, ({ engineVersion }) =>
      engine.logProbs({ version: engineVersion, sequences, precision: trainer }),
    );
    return sequences.flatMap(({ oldLogProbs }, i) => [...oldLogProbs].map((value, t) => Math.abs(value - own[i]![t]!)));
  };
  const [gaps, fromPolicy] = [await gapsTo(precision), await gapsTo('float32')];
  await engine.close();
  // What the store holds is not the policy's, and the metrics say how far the trainer's own is.
  expect(gaps.length).toBeGreaterThan(20);
  expect(Math.max(...fromPolicy)).toBeGreaterThan(1e-4);
  expect(metrics.maxSamplingGap).toBeCloseTo(Math.max(...gaps), 4);
  expect(metrics.meanSamplingGap).toBeCloseTo(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length, 5);
  // Ratios begin at 1, so nothing drifts.
  expect(metrics.maxLogProbGap).toBeLessThan(driftLimit);
  expect(metrics.driftAlarm).toBe(0);
});
