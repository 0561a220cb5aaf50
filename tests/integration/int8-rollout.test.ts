/** An iteration that samples in 8 bits: what is stored is the rounded policy's, what is learned from starts at the policy's own. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PolicyResidence } from '../../activities/policy/residence.ts';
import { readTrainingSequences } from '../../activities/policy/training-sequences.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { connectServers, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

const runId = 'int8-rollout';
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

it('samples rounded weights and recomputes the old log-probs with the policy', async () => {
  await trainTinyRun(servers, runId, ['rollout.weights=int8', 'update.dropZeroAdvantage=false']);
  const { store } = servers;
  const [iteration] = await store.iterations.find({ runId }).toArray();
  const { policyIn, metrics } = iteration!;
  const batchId = iteration!._id;
  const sequences = await readTrainingSequences(store, { batchId, role: 'executor', dropZeroAdvantage: false });
  const engine = new LocalEngine(resolveTemporalConfig({}).engine);
  const use = { runId, version: policyIn, role: 'executor', layout: 'shared' } as const;
  const own = await new PolicyResidence(store, engine).with(use, ({ engineVersion }) =>
    engine.logProbs({ version: engineVersion, sequences }),
  );
  await engine.close();
  const gaps = sequences.flatMap(({ oldLogProbs }, i) =>
    [...oldLogProbs].map((value, t) => Math.abs(value - own[i]![t]!)),
  );
  // What the store holds is not the policy's, and the metrics say by how much.
  expect(gaps.length).toBeGreaterThan(20);
  expect(Math.max(...gaps)).toBeGreaterThan(1e-4);
  expect(metrics.maxSamplingGap).toBeCloseTo(Math.max(...gaps), 4);
  expect(metrics.meanSamplingGap).toBeCloseTo(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length, 5);
  // Ratios begin at 1, so nothing drifts.
  expect(metrics.maxLogProbGap).toBeLessThan(1e-4);
  expect(metrics.driftAlarm).toBe(0);
});
