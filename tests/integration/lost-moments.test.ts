/**
 * A version whose optimizer moments the store has lost, on a real store and engine: it can be sampled from, and nothing is
 * learned from it, least of all from zero moments, until a repair has made them again.
 */
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { fineTune } from '../../activities/fine-tune.ts';
import { PolicyResidence } from '../../activities/policy/residence.ts';
import { repairVersion } from '../../activities/recovery/repair.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { scriptedRun } from '../helpers/scripted-rollout.ts';
import type { ScriptedRun } from '../helpers/scripted-rollout.ts';

const database = 'lost-moments-cases';
const runId = 'lost-moments';
const set = ['coldStart.chunks=2', 'coldStart.steps=4', 'coldStart.examples=20', 'coldStart.batchSize=2'];
const attempt = { name: 'a#1', signal: new AbortController().signal, progress: () => undefined };

let store: Store;
let client: MongoClient;
let run: ScriptedRun;
beforeAll(async () => {
  const { mongoUri } = inject('stack');
  store = await openStore({ uri: mongoUri, database });
  client = await new MongoClient(mongoUri).connect();
  run = await scriptedRun(store, runId, () => '', set);
});
afterAll(async () => {
  await run.close();
  await client.db(database).dropDatabase();
  await client.close();
  await store.close();
});

/** What a worker has that was started anew. */
function freshWorker() {
  const engine = new LocalEngine(resolveTemporalConfig({}).engine);
  return { ...run.deps, engine, policies: new PolicyResidence(store, engine) };
}
const version = async (number: number) => (await store.policies.findOne({ runId, version: number }))?.parts.shared;

it('is refused by name by whoever would learn from it, and learned from once it is repaired', async () => {
  await fineTune(freshWorker(), { runId, chunk: 1, baseVersion: 0 }, attempt);
  const { optimizer, optimizerStep } = (await version(1))!;
  expect(optimizerStep).toBe(2);
  await client.db(database).collection('weights.files').deleteMany({ filename: optimizer! });

  const worker = freshWorker();
  const use = { runId, version: 1, role: 'executor', layout: 'shared' } as const;
  const sequence = { id: 's', promptIds: Int32Array.of(1, 2), responseIds: Int32Array.of(3) };
  const scored = () =>
    worker.policies.with(use, ({ engineVersion }) =>
      worker.engine.logProbs({ version: engineVersion, sequences: [sequence] }),
    );
  const before = await scored();
  expect(before[0]).toHaveLength(1);
  await expect(fineTune(worker, { runId, chunk: 2, baseVersion: 1 }, attempt)).rejects.toMatchObject({
    name: 'CheckpointMissing',
    message: expect.stringMatching(
      new RegExp(`moments of ${runId}@v1 \\(blob ${optimizer}\\).* npx metaagentx repair ${runId}@v1`),
    ) as string,
  });
  expect(await version(2)).toBeUndefined();

  const { restored } = await repairVersion(freshWorker(), { runId, version: 1 }, attempt);
  expect(restored).toEqual([optimizer]);
  // The worker has the version without its moments still.
  const [chunk, whole] = [await fineTune(worker, { runId, chunk: 2, baseVersion: 1 }, attempt), await version(2)];
  expect(chunk).toBe(2);
  await store.policies.deleteOne({ runId, version: 2 });
  await fineTune(freshWorker(), { runId, chunk: 2, baseVersion: 1 }, attempt);
  expect(await version(2)).toEqual(whole);
  expect(await scored()).toEqual(before);
});
