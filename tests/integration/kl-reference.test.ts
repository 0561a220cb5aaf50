/** A run with a KL penalty and an entropy bonus: its metrics against numbers recomputed from what the store holds. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PolicyResidence } from '../../activities/policy/residence.ts';
import { readTrainingSequences } from '../../activities/policy/training-sequences.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { iterationId } from '../../shared/domain/ids.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { connectServers, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

const runId = 'kl-reference';
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

it('stores entropy, KL to the reference, clip fraction and gradient norm of each iteration', async () => {
  const set = ['update.klCoef=0.1', 'update.entropyCoef=0.01', 'update.learningRate=3e-3'];
  await trainTinyRun(servers, runId, [
    ...set,
    'update.dropZeroAdvantage=false',
    'stages.iterationsPerStage=2',
    'stages.first=designer',
    'coldStart.steps=60',
  ]);
  const { store } = servers;
  const iterations = await store.iterations.find({ runId }).sort({ _id: 1 }).toArray();
  expect(iterations.map(({ policyIn }) => policyIn)).toEqual([2, 3]);
  for (const { metrics } of iterations) {
    expect(metrics.entropy).toBeGreaterThan(0);
    expect(metrics.gradNorm).toBeGreaterThan(0);
    // One step on what was sampled just before: ratios of 1, to rounding.
    expect(metrics.clipFraction).toBe(0);
    expect(metrics.approxKl).toBeCloseTo(0, 5);
  }
  // The run's first update begins at the reference itself, the second where the first has led.
  const [first, second] = iterations.map(({ metrics }) => metrics.referenceKl!);
  expect(first).toBeCloseTo(0, 5);
  expect(await divergence(2, 2)).toBe(0);
  const moved = await divergence(3, 2);
  expect(moved).toBeGreaterThan(1e-3);
  expect(second! / moved).toBeCloseTo(1, 3);
});

/** Mean over the second iteration's response tokens of k3 between two stored versions. */
async function divergence(version: number, reference: number): Promise<number> {
  const { store } = servers;
  const engine = new LocalEngine(resolveTemporalConfig({}).engine);
  const policies = new PolicyResidence(store, engine);
  const sequences = await readTrainingSequences(store, {
    batchId: iterationId(runId, 1, 2),
    role: 'designer',
    dropZeroAdvantage: false,
  });
  const scores = (of: number) =>
    policies.with({ runId, version: of, role: 'designer', layout: 'shared' }, ({ engineVersion }) =>
      engine.logProbs({ version: engineVersion, sequences }),
    );
  const [own, other] = [await scores(version), await scores(reference)];
  const differences = own.flatMap((values, i) => [...values].map((value, token) => other[i]![token]! - value));
  await engine.close();
  return differences.reduce((sum, d) => sum + Math.exp(d) - d - 1, 0) / differences.length;
}
