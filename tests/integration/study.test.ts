/**
 * A study on real servers: one cold start for all its runs, resumed after its workflow was terminated and the store had
 * lost writes, one table.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { metaagentx, runCommandLine } from '../helpers/command-line.ts';
import { startJudge } from '../helpers/judge.ts';
import type { Judge } from '../helpers/judge.ts';
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
  const { studies } = (await metaagentx('study', 'list')).data;
  expect(JSON.stringify(studies)).toContain('"smoke"');
});
