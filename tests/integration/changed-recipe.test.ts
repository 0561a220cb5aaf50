/**
 * Measurements of a run whose recipe was changed, by a worker that has known the run since before: searches, evaluations,
 * studies and solved questions go by the recipe that is in force.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { reviseRecipe, storeRevision } from '../../activities/recovery/change-recipe.ts';
import { insertOnce } from '../../activities/store/write.ts';
import type { StudyDocument } from '../../activities/store/documents.ts';
import { storeSearch } from '../../cli/measure/search.ts';
import { studySchema } from '../../shared/config/study.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { studyWorkflowId, systemIdOfSearch } from '../../shared/domain/ids.ts';
import type { StudyPlan } from '../../shared/domain/study-plan.ts';
import { systemOf } from '../../shared/systems/registry.ts';
import type { SearchedSystem } from '../../shared/systems/system.ts';
import { metaagentx } from '../helpers/command-line.ts';
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

/** A finished run that the worker has trained, and what it may say changed since. */
async function changedRun(runId: string): Promise<void> {
  const { store } = servers;
  await trainTinyRun(servers, runId);
  const run = (await store.runs.findOne({ _id: runId }))!;
  const set = ['sampling.designer.maxTokens=30', 'sampling.executor.maxTokens=29'];
  await storeRevision(store, run, reviseRecipe(run, null, set, 'test'));
}

/** The longest replies that the batches of a prefix could have: of designs that a model wrote, and of agents. */
async function longest(prefix: string): Promise<number[][]> {
  const { store } = servers;
  const batchId = { $regex: `^${prefix}` };
  const [designs, calls] = await Promise.all([
    store.designs.distinct('sampling.maxTokens', { batchId, writtenBy: 'designer' }),
    store.calls.distinct('sampling.maxTokens', { batchId }),
  ]);
  return [designs, calls] as number[][];
}

it('go by the new recipe where a command asks for them', async () => {
  const size = ['-k', '2', '--limit', '3', '--search-questions', '3', '--search-rounds', '2'];
  await changedRun('changed-search');
  const searched = await metaagentx('eval', 'changed-search@v3', '--system', 'aflow', ...size);
  expect(searched.code, searched.log).toBe(0);
  expect(await longest('changed-search/search-')).toEqual([[], [29]]);
  await changedRun('changed-eval');
  const { data } = await metaagentx('eval', 'changed-eval@v3', '-k', '2', '--limit', '3');
  expect(await longest(String(data.id))).toEqual([[30], [29]]);
  await changedRun('changed-solve');
  const solved = await metaagentx('solve', 'changed-solve@v3', 'Tom has 3 pens and gets 4 more. How many pens?');
  expect((await longest(String(solved.data.batchId)))[0]).toEqual([30]);
});

it('go by the change that took the place of one that the store has lost', async () => {
  const { store } = servers;
  const runId = 'changed-again';
  const argv = ['eval', `${runId}@v3`, '-k', '2', '--limit', '3', '--again'];
  await changedRun(runId);
  await metaagentx(...argv);
  const { changes, ...lost } = (await store.runs.findOne({ _id: runId }))!;
  const [change] = changes!;
  const recipe = structuredClone(lost.recipe);
  for (const role of ['designer', 'executor'] as const) {
    const field = change!.fields.find(({ path }) => path === `sampling.${role}.maxTokens`)!;
    recipe.sampling[role].maxTokens = field.before as number;
  }
  await store.runs.replaceOne({ _id: runId }, { ...lost, recipe });
  const before = (await store.runs.findOne({ _id: runId }))!;
  const set = ['sampling.designer.maxTokens=28', 'sampling.executor.maxTokens=27'];
  await storeRevision(store, before, reviseRecipe(before, null, set, 'test'));
  const { data } = await metaagentx(...argv);
  expect(await longest(String(data.id))).toEqual([[28], [27]]);
});

it('go by the new recipe where a study asks for them, although its plan is older', async () => {
  const { store, client } = servers;
  const [studyId, runId] = ['changed-study', 'changed-study.base'];
  const config = resolveTemporalConfig({});
  await trainTinyRun(servers, runId, ['evaluation.limit=2']);
  const before = (await store.runs.findOne({ _id: runId }))!;
  const system = systemOf('aflow') as SearchedSystem;
  const settings = { rounds: 2, questions: 3, calls: null };
  const search = await storeSearch(store, config, before, 3, { system, budget: null, settings });
  const measurement = { name: 'study-aflow', system: systemIdOfSearch(search.searchId), search };
  const plan: StudyPlan = {
    studyId,
    queues: config.queues,
    activities: config.activities,
    bases: [],
    cells: [{ variant: 'aflow', seed: 0, system: 'aflow', runId, measurement }],
    concurrentRuns: 1,
  };
  const study = studySchema.parse({ name: studyId, description: '', recipe: 'smoke', seeds: [0] });
  await insertOnce<StudyDocument>(store.studies, { _id: studyId, study, plan, status: 'running', cells: [] });
  await storeRevision(store, before, reviseRecipe(before, null, ['sampling.executor.maxTokens=29'], 'test'));
  const failures = await client.workflow.execute('study', {
    workflowId: studyWorkflowId(studyId),
    taskQueue: config.queues.control,
    args: [plan],
  });
  expect(failures).toEqual({});
  expect((await longest(`${runId}/search-`))[1]).toEqual([29]);
});
