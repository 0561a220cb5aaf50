/** Where an update's old log-probs come from is for the samples to say: the recipe may have changed since they were drawn. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { reviseRecipe, storeRevision } from '../../activities/recovery/change-recipe.ts';
import { revisionOf } from '../../activities/recipe-revision.ts';
import { readRun } from '../../activities/run-context.ts';
import { updatePolicy } from '../../activities/update-policy.ts';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import { attemptOf, sampledBatch } from '../helpers/sampled-batch.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore({ uri: inject('stack').mongoUri, database: 'old-log-probs-cases' });
});
afterAll(() => store.close());

it.each([
  ['tempered, the recipe no longer', 0.7, 1, true],
  ['plain, the recipe tempered by now', 1, 0.7, false],
  ['plain as ever', 1, 1, false],
])('of samples that are %s', async (_, before, after, isRecomputed) => {
  const runId = `old-log-probs-${before}-${after}`;
  const batch = await sampledBatch(store, runId, [`sampling.executor.temperature=${before}`]);
  const run = await readRun(store, runId);
  const change = [`sampling.executor.temperature=${after}`];
  const changed = before !== after ? await storeRevision(store, run, reviseRecipe(run, null, change, 'test')) : run;
  const revision = revisionOf(changed);
  const { metrics } = await updatePolicy(batch.deps, { ...batch.update, revision }, attemptOf('update'));
  await batch.close();
  // Tempered log-probs are far from the policy's; ratios must begin at 1 nevertheless.
  if (isRecomputed) expect(metrics.maxSamplingGap).toBeGreaterThan(0.01);
  else expect(metrics).not.toHaveProperty('maxSamplingGap');
  expect(metrics).toMatchObject({ sequences: 4, driftAlarm: 0 });
  expect(metrics.maxLogProbGap).toBeLessThan(1e-4);
});
