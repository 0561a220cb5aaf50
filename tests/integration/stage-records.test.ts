/** What a resume makes of the records of stages, whatever became of them. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { mendStages } from '../../activities/recovery/stage-records.ts';
import { readRun } from '../../activities/run-context.ts';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import { storeRun } from '../helpers/stored-run.ts';

const runId = 'stages';
let store: Store;
beforeAll(async () => {
  store = await openStore({ uri: inject('stack').mongoUri, database: 'stage-records-cases' });
  const shape = { questions: 1, designs: 1, executions: 1, calls: 1, text: (what: string) => what };
  await storeRun(store, { ...shape, runId, stages: [3, 3, 3] });
  await storeRun(store, { ...shape, runId: 'stages-other', stages: [3] });
});
afterAll(() => store.close());

const records = async () =>
  (await store.stages.find({ runId }).sort({ stage: 1 }).toArray()).map(
    ({ stage, learner, iterations, policyIn, policyOut }) =>
      `${stage}: ${learner} × ${iterations}, v${policyIn} to ${policyOut === null ? 'be' : `v${policyOut}`}`,
  );

/** After a cold start of two chunks. */
const mend = async (iterations: number[]) => {
  const done = iterations.reduce((sum, count) => sum + count, 0);
  await mendStages(store, await readRun(store, runId), {
    policyVersion: 2 + done,
    coldStartChunks: 2,
    iterations,
    evaluations: {},
  });
};

it('says the end of a stage that is done, and the version with which one began that is not', async () => {
  // As of a plan that has been changed since.
  const other = { learner: 'designer', iterations: 9, policyIn: 0, policyOut: null } as const;
  await store.stages.updateOne({ _id: 'stages/stage-01' }, { $set: other });
  await store.stages.deleteOne({ _id: 'stages/stage-02' });
  await mend([3, 2, 0]);
  expect(await records()).toEqual(['1: executor × 3, v2 to v5', '2: designer × 3, v5 to be']);
});

it('takes the end from a stage that has become open', async () => {
  await mend([3, 3, 3]);
  await mend([3, 3, 1]);
  expect((await records())[2]).toBe('3: executor × 3, v8 to be');
});

it('forgets a stage of which nothing is done, which may begin as another one', async () => {
  await mend([3, 0, 0]);
  expect(await records()).toEqual(['1: executor × 3, v2 to v5']);
  await mendStages(store, await readRun(store, runId), null);
  expect(await records()).toEqual([]);
  expect(await store.stages.countDocuments({ runId: 'stages-other' })).toBe(1);
});
