/** What is measured and asked beside a run's plan is no damage to it, and what is broken there is found. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { auditRun } from '../../audit/audit-run.ts';
import { openDatabase } from '../../audit/database.ts';
import type { Database } from '../../audit/database.ts';
import { cloneRun } from '../helpers/clone-run.ts';
import { metaagentx } from '../helpers/command-line.ts';
import { connectServers, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

const run = 'audited';
let servers: TestServers;
let worker: WorkerProcess;
let database: Database;

beforeAll(async () => {
  const { mongoUri, database: name } = inject('stack');
  servers = await connectServers();
  database = await openDatabase(mongoUri, name);
  worker = await startWorkerProcess('all');
  await trainTinyRun(servers, run);
  const search = ['--search-rounds', '2', '--search-questions', '2', '-k', '1'];
  for (const argv of [
    ['eval', `${run}@latest`, '-k', '2', '--system', 'self-consistency'],
    ['eval', `${run}@latest`, '--system', 'aflow', ...search],
    ['eval', `${run}@latest`, '--system', 'maas', ...search],
  ])
    expect(await metaagentx(...argv)).toMatchObject({ code: 0 });
  await metaagentx('solve', run, 'Tom has 3 pens and gets 4 more. How many pens?');
});
afterAll(async () => {
  await worker.stop();
  await database.close();
  await servers.close();
});

it('finds nothing in systems, searches and questions asked by hand', async () => {
  const { findings, notes } = await auditRun(database, run, { client: servers.client });
  expect(findings).toEqual([]);
  expect(notes).toContainEqual(expect.stringContaining('beside the plan have no record'));
});

it('takes an evaluation without a record for one that runs, and says what hangs on nothing in it', async () => {
  await cloneRun(servers.store, run, 'audited-open');
  const { _id } = (await servers.store.evaluations.findOne({ runId: 'audited-open', system: 'self-consistency' }))!;
  await servers.store.evaluations.deleteOne({ _id });
  expect((await auditRun(database, 'audited-open', { client: null })).findings).toEqual([]);
  await servers.store.designs.deleteOne({ _id: `${_id}/q-000/d-0` });
  const { findings } = await auditRun(database, 'audited-open', { client: null });
  expect(findings).toContainEqual({
    check: 'executions',
    id: `${_id}/q-000/d-0/e-0`,
    problem: 'has no place in the plan',
  });
});
