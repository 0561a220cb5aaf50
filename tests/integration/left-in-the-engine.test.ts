/** What stays in the engine when the making of a version fails at the store: only what can be found again, and evicted. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { fineTune } from '../../activities/fine-tune.ts';
import { PolicyResidence } from '../../activities/policy/residence.ts';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import { updatePolicy } from '../../activities/update-policy.ts';
import { deferred } from '../helpers/deferred.ts';
import { attemptOf, sampledBatch } from '../helpers/sampled-batch.ts';
import type { SampledBatch } from '../helpers/sampled-batch.ts';

let store: Store;
let batch: SampledBatch;
const set = ['coldStart.steps=2', 'update.entropyCoef=0.01', 'update.learningRate=1e-3'];
beforeAll(async () => {
  store = await openStore({ uri: inject('stack').mongoUri, database: 'left-in-the-engine-cases' });
  batch = await sampledBatch(store, 'left', set);
});
afterAll(async () => {
  await batch.close();
  await store.close();
});

const full = () => Promise.reject(new Error('the disk is full'));
const versions = async () => (await batch.engine.stats()).versions;

it.each([
  ['an update', () => batch.update, updatePolicy],
  ['a chunk of the cold start', () => ({ runId: 'left', chunk: 1, baseVersion: 0 }), fineTune],
] as const)('is nothing of %s, whichever blob fails and however often it is tried', async (what, input, make) => {
  const before = await versions();
  for (const [attempt, stored] of [0, 1, 0].entries()) {
    let puts = 0;
    const put: Store['blobs']['put'] = (...blob) => (puts++ < stored ? store.blobs.put(...blob) : full());
    const deps = { ...batch.deps, store: { ...store, blobs: { ...store.blobs, put } } };
    await expect(make(deps, input() as never, attemptOf(`${what}, try ${attempt}`))).rejects.toThrow(
      'the disk is full',
    );
    expect(puts).toBe(stored + 1);
  }
  expect(await versions()).toEqual(before);
  // Nothing is in the way of the attempt that succeeds; its weights stay, under its name.
  await make(batch.deps, input() as never, attemptOf(`${what}, try 3`));
  expect((await versions()).filter((name) => !before.includes(name))).toEqual([
    expect.stringContaining(`by ${what}, try 3`),
  ]);
  await store.policies.deleteOne({ _id: 'left/v000001' });
});

it('is nothing of an update that was cancelled in its last step', async () => {
  const before = await versions();
  const abort = new AbortController();
  const cancelled = {
    ...attemptOf('cancelled'),
    signal: abort.signal,
    progress: () => abort.abort(new Error('enough')),
  };
  await expect(updatePolicy(batch.deps, batch.update, cancelled)).rejects.toThrow('enough');
  expect(await versions()).toEqual(before);
});

it('is everything that is in use, however slowly what is not leaves', async () => {
  const { deps, engine, update } = batch;
  await updatePolicy(deps, update, attemptOf('version 1'));
  const [leaving, gate] = [deferred(), deferred()];
  const slow = Object.assign(Object.create(engine) as typeof engine, {
    unloadPolicy: async (name: string) => {
      if (name !== 'idle-0') return engine.unloadPolicy(name);
      leaving.resolve();
      return gate.promise;
    },
  });
  const policies = new PolicyResidence(store, slow);
  const use = (version: number) => ({ runId: 'left', version, role: 'executor', layout: 'shared' }) as const;
  const policy = await policies.policy('left', 0);
  const adopt = (n: number) => policies.adopt(`idle-${n}`, policy, { ...policy.parts.shared!, weights: `${n}` });
  await adopt(0);
  await policies.with(use(0), async () => undefined);
  for (const n of [1, 2, 3]) await adopt(n);
  // With version 1 there are two parts more than may stay: idle-0, and version 0, which is asked for while the other leaves.
  const evicting = policies.with(use(1), async () => undefined);
  await leaving.promise;
  await policies.with(use(0), async ({ engineVersion }) => {
    gate.resolve();
    await evicting;
    expect(await engine.hasPolicy(engineVersion)).toBe(true);
  });
});
