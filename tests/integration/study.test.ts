/**
 * A study on real servers: one cold start for all its runs, resumed after its workflow was terminated and the store had
 * lost writes, one table.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Collection, Filter } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StudyDocument } from '../../activities/store/documents.ts';
import { insertOnce } from '../../activities/store/write.ts';
import { recordStudy } from '../../activities/study/record-study.ts';
import { studySchema } from '../../shared/config/study.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import type { StudyCellPlan, StudyPlan } from '../../shared/domain/study-plan.ts';
import type { StudyCell } from '../../shared/evaluation/study-table.ts';
import { metaagentx, runCommandLine } from '../helpers/command-line.ts';
import { startJudge } from '../helpers/judge.ts';
import type { Judge } from '../helpers/judge.ts';
import { storeRun } from '../helpers/stored-run.ts';
import { connectServers } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

let servers: TestServers;
let judge: Judge;
let workers: WorkerProcess[];
let out: string;
beforeAll(async () => {
  servers = await connectServers();
  out = await mkdtemp(join(tmpdir(), 'study-'));
  judge = await startJudge(servers.store);
  workers = await Promise.all(['control', 'gpu'].map((queue) => startWorkerProcess(queue)));
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await judge.stop();
  await servers.close();
  await rm(out, { recursive: true });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 100_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited 100 s for a condition');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it('takes the word of a cell that failed for what became of its run', async () => {
  const { store } = servers;
  const [studyId, runId] = ['failed-study', 'failed-study.first.s0'];
  const shape = { stages: [2], questions: 1, designs: 1, executions: 1, calls: 1, text: (what: string) => what };
  await storeRun(store, { ...shape, runId, status: 'failed' });
  await store.iterations.deleteOne({ runId, iteration: 2 });
  // Of no answers: none are stored.
  await store.evaluations.updateOne({ runId }, { $set: { questions: 0 } });
  const cell: StudyCellPlan = { variant: 'first', seed: 0, system: 'metaagentx', runId, measurement: null };
  const { queues, activities } = resolveTemporalConfig({});
  const plan: StudyPlan = { studyId, queues, activities, bases: [], cells: [cell], concurrentRuns: 1 };
  const study = studySchema.parse({ name: studyId, description: '', recipe: 'smoke', seeds: [0] });
  await insertOnce<StudyDocument>(store.studies, { _id: studyId, study, plan, status: 'running', cells: [] });
  await recordStudy({ store }, { studyId, failures: { [`${runId}#first`]: 'EngineDied: it died' } });
  const shown = await metaagentx('study', 'show', studyId);
  expect(shown).toMatchObject({ code: 0, data: { losses: [], cells: [{ status: 'failed', average: null }] } });
  await store.evaluations.deleteOne({ runId });
  const { code, data } = await metaagentx('study', 'show', studyId);
  expect([code, data.losses]).toEqual([1, [`evaluation ${runId}/eval-stage-01 is not in the store`]]);
});

/** What a store that lost writes after the study had ended says of it. */
async function namesLosses(cells: StudyCell[]): Promise<void> {
  const { evaluations, iterations, verdicts, runs, policies } = servers.store;
  const of = (wanted: string) => cells.find(({ variant }) => variant === wanted)!;
  const shown = async () => {
    const { code, data } = await metaagentx('study', 'show', 'smoke');
    return [code, data.losses, data.rows] as const;
  };
  const [, , rows] = await shown();
  const gone = (await evaluations.findOne({ _id: of('debate').evaluation! }))!;
  await evaluations.deleteOne({ _id: gone._id });
  const { average } = of('coupled_split');
  await evaluations.updateOne({ _id: of('coupled_split').evaluation! }, { $set: { 'metrics.average': 2 } });
  expect(await shown()).toEqual([
    1,
    expect.arrayContaining([
      `evaluation ${gone._id} is not in the store`,
      `average of debate, seed 0: the table has ${of('debate').average}, documents give null`,
      `average of coupled_split, seed 0: the table has ${average}, documents give 2`,
    ]),
    rows,
  ]);
  await evaluations.insertOne(gone);
  await evaluations.updateOne({ _id: of('coupled_split').evaluation! }, { $set: { 'metrics.average': average! } });
  expect((await shown())[1]).toEqual([]);

  const trained = of('executor-first');
  for (const [lose, losses] of [
    [
      () => taken(iterations, { _id: `${trained.runId}/stage-01/iter-001` }),
      [`iteration ${trained.runId}/stage-01/iter-001 is not in the store`],
    ],
    [
      () => taken(verdicts, { batchId: trained.evaluation! }),
      [expect.stringMatching(new RegExp(`^1 of \\d+ verdicts of ${trained.evaluation} are not in the store$`))],
    ],
    [
      () => taken(policies, { runId: trained.runId, version: 1 }),
      [`${trained.runId}/v000001, which ${trained.evaluation} is of, is not in the store`],
    ],
    [() => taken(runs, { _id: trained.runId }), [`run ${trained.runId} is not in the store`]],
  ] as const) {
    const putBack = await lose();
    const found = await shown();
    await putBack();
    expect(found).toEqual([1, expect.arrayContaining([...losses]), rows]);
  }
  expect((await shown())[1]).toEqual([]);
}

/** Takes one document away; gives what puts it back. */
async function taken<Doc extends { _id: string }>(
  collection: Pick<Collection<Doc>, 'findOne' | 'deleteOne' | 'insertOne'>,
  query: Filter<Doc>,
): Promise<() => Promise<unknown>> {
  const document = (await collection.findOne(query))!;
  await collection.deleteOne({ _id: document._id } as Filter<Doc>);
  return () => collection.insertOne(document as never);
}

it('runs a grid, resumes, and writes one table', async () => {
  const { store, client } = servers;
  const first = 'smoke.executor-first.s0';
  const held = judge.hold(new RegExp(`^${first}/stage-01/iter-001$`));
  const started = await metaagentx('study', 'smoke', '--detach');
  expect(started).toMatchObject({ code: 0, data: { studyId: 'smoke', cells: 3 } });
  await held.reached;
  const { stdout: stopping } = await runCommandLine(['stop', first], process.env);
  expect(stopping).toMatch(/Its study goes on .*: npx metaagentx study smoke$/m);
  await client.workflow.getHandle('study/smoke').terminate('test');
  await until(async () => (await client.workflow.getHandle(first).describe()).status.name !== 'RUNNING');
  held.release();

  // The store loses the end of a run that had ended.
  const lost = 'smoke.cold-start.s0/v000002';
  const before = await store.policies.findOne({ _id: lost });
  await store.policies.deleteOne({ _id: lost });

  const { code, data, log } = await metaagentx('study', 'smoke', '--out', out);
  expect(code).toBe(0);
  expect(log).toMatch(/run smoke\.cold-start\.s0: the store had lost .*v000002.*: going on from v000001/);
  const base = await store.runs.findOne({ _id: 'smoke.cold-start.s0' });
  expect(base).toMatchObject({ status: 'finished', rollbacks: [{ to: 1 }] });
  const made = await store.policies.findOne({ _id: lost });
  expect(made?.createdAt).not.toEqual(before?.createdAt);
  expect(made?.parts).toEqual(before?.parts);
  const rows = data.rows as { variant: string; seeds: number; failed: number; average: { mean: number } }[];
  expect(rows.map(({ variant, seeds, failed }) => [variant, seeds, failed])).toEqual([
    ['executor-first', 1, 0],
    ['debate', 1, 0],
    ['coupled_split', 1, 0],
  ]);
  for (const { variant, evaluation, average } of data.cells) {
    const measured = await store.evaluations.findOne({ _id: evaluation });
    expect([variant, measured?.metrics.average]).toEqual([variant, average]);
  }
  const runs = (await store.runs.find({ _id: { $regex: '^smoke\\.' } }).toArray()).map(({ _id }) => _id).sort();
  expect(runs).toEqual(['smoke.cold-start.s0', 'smoke.coupled_split.s0', 'smoke.executor-first.s0']);

  // All begin with the weights of one cold start; the split run has them twice.
  const weights = async (runId: string, version: number) =>
    Object.values((await store.policies.findOne({ runId, version }))!.parts).map((part) => part.weights);
  const [cold] = await weights('smoke.cold-start.s0', 2);
  expect(await weights(first, 0)).toEqual([cold]);
  expect(await weights('smoke.coupled_split.s0', 0)).toEqual([cold, cold]);
  // Coupled: both roles learned in the one iteration.
  const learned = await weights('smoke.coupled_split.s0', 1);
  expect(learned.every((digest) => digest !== cold)).toBe(true);

  const cells = await readFile(join(out, 'smoke-cells.csv'), 'utf8');
  expect(cells.split('\n')).toHaveLength(5);
  const curves = (await readFile(join(out, 'smoke-curves.csv'), 'utf8')).trim().split('\n');
  expect(curves.map((line) => line.split(',').slice(0, 4).join())).toEqual([
    'variant,seed,iteration,learner',
    'executor-first,0,1,executor',
    'coupled_split,0,1,both',
  ]);
  const again = await metaagentx('study', 'smoke', '--out', out);
  expect(again.data.cells).toEqual(data.cells);
  expect((await metaagentx('study', 'show', 'smoke')).data.rows).toEqual(data.rows);
  expect(data.losses).toEqual([]);
  await namesLosses(data.cells as StudyCell[]);
  const { studies } = (await metaagentx('study', 'list')).data;
  expect(JSON.stringify(studies)).toContain('"smoke"');
});
