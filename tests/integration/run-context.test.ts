/** What a worker keeps of a run in memory, while the store loses newest writes and gets others in their place. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { revisionOf } from '../../activities/recipe-revision.ts';
import { reviseRecipe, storeRevision } from '../../activities/recovery/change-recipe.ts';
import { readRun, runContexts } from '../../activities/run-context.ts';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import type { RunDocument } from '../../activities/store/documents.ts';
import { storeRun } from '../helpers/stored-run.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore({ uri: inject('stack').mongoUri, database: 'run-context-cases' });
});
afterAll(() => store.close());

const shape = { stages: [1], questions: 1, designs: 1, executions: 1, calls: 1, text: (what: string) => what };

async function stored(runId: string): Promise<RunDocument> {
  await storeRun(store, { ...shape, runId });
  return readRun(store, runId);
}
const changed = (run: RunDocument, rate: number) =>
  storeRevision(store, run, reviseRecipe(run, null, [`update.learningRate=${rate}`], 'test'));
const lose = (run: RunDocument) => store.runs.replaceOne({ _id: run._id }, run);
const rateOf = ({ recipe }: RunDocument) => recipe.update.learningRate;

it('goes by the change that took the place of a lost one', async () => {
  const run = await stored('replaced');
  const contexts = runContexts(store);
  const first = await changed(run, 0.001);
  expect(rateOf(await contexts.run({ runId: 'replaced', revision: revisionOf(first) }))).toBe(0.001);
  await lose(run);
  const second = await changed(run, 0.002);
  expect(rateOf(await contexts.run({ runId: 'replaced', revision: revisionOf(second) }))).toBe(0.002);
  await expect(contexts.run({ runId: 'replaced', revision: revisionOf(first) })).rejects.toMatchObject({
    name: 'StoreBehind',
    message: expect.stringMatching(/started with another recipe .* which has 1 changes on record/) as string,
  });
});

it('goes by the recipe of before where a change was lost and none came', async () => {
  const run = await stored('reverted');
  const contexts = runContexts(store);
  const next = await changed(run, 0.001);
  expect(rateOf(await contexts.run({ runId: 'reverted', revision: revisionOf(next) }))).toBe(0.001);
  await lose(run);
  expect(rateOf(await contexts.run({ runId: 'reverted', revision: revisionOf(run) }))).toBe(rateOf(run));
});

it('goes by the run that was made again under the name of a lost one', async () => {
  const run = await stored('remade');
  const contexts = runContexts(store);
  await contexts.run({ runId: 'remade', revision: revisionOf(run) });
  const update = { ...run.recipe.update, learningRate: 0.003 };
  const other = { ...run, createdAt: new Date(run.createdAt.getTime() + 1), recipe: { ...run.recipe, update } };
  await lose(other);
  expect(rateOf(await contexts.run({ runId: 'remade', revision: revisionOf(other) }))).toBe(0.003);
});

it('serves who was started before a change with what there is, read once a revision', async () => {
  const run = await stored('changed');
  let reads = 0;
  const findOne = (filter: { _id: string }) => ((reads += 1), store.runs.findOne(filter));
  const contexts = runContexts({
    ...store,
    runs: Object.assign(Object.create(store.runs) as Store['runs'], { findOne }),
  });
  const next = await changed(run, 0.001);
  const ask = (revision?: string | number) => contexts.run({ runId: 'changed', revision });
  for (const revision of [revisionOf(next), revisionOf(next), 1]) expect(rateOf(await ask(revision))).toBe(0.001);
  expect(reads).toBe(1);
  // Of programs that counted changes, and of before this one.
  for (const revision of [revisionOf(run), undefined, 0]) expect(rateOf(await ask(revision))).toBe(0.001);
  await expect(ask(2)).rejects.toMatchObject({ name: 'StoreBehind' });
  // A rollback moves the version from which a change is in force, and makes no other change of it.
  const moved = next.changes!.map((change) => ({ ...change, fromVersion: 7 }));
  await store.runs.updateOne({ _id: 'changed' }, { $set: { changes: moved } });
  expect(revisionOf(await readRun(store, 'changed'))).toBe(revisionOf(next));
});
