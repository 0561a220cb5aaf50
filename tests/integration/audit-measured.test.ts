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

it.each([
  ['of a candidate', 'aflow', /^audited-judged-aflow\/search-aflow-.*\/c-000\//],
  ['of a step', 'maas', /^audited-judged-maas\/search-maas-.*\/t-00[01]\//],
])('judges the answers %s anew', async (_, system, ids) => {
  const runId = `audited-judged-${system}`;
  const { verdicts, runs } = servers.store;
  await cloneRun(servers.store, run, runId);
  const judged = { _id: ids, 'verdict.correct': false, 'verdict.answer': /^-?\d+$/ };
  const wrong = (await verdicts.findOne(judged))!;
  // As a verifier that was mistaken would have left it.
  const correctness = (await runs.findOne({ _id: runId }))!.recipe.reward.correctness;
  const terms = wrong.terms.map((term) => (term.term === 'correctness' ? { ...term, value: correctness } : term));
  const said = { 'verdict.correct': true, 'verdict.ratio': 1, terms, reward: wrong.reward + correctness };
  await verdicts.updateOne({ _id: wrong._id }, { $set: said });
  const { findings } = await auditRun(database, runId, { client: null });
  const problem = expect.stringMatching(/^'-?\d+' against '-?\d+' was judged right \(1\)$/) as string;
  const candidate = { check: 'metrics', id: expect.stringMatching(/\/c-000$/) as string };
  expect(findings).toEqual([
    { check: 'verdicts', id: wrong._id, problem },
    ...(system === 'aflow' ? [{ ...candidate, problem: expect.stringMatching(/^has score /) as string }] : []),
  ]);
});

it('knows which questions a search may ask, and that nobody knows the answer of one that somebody asks', async () => {
  const runId = 'audited-asked';
  const { designs, executions, verdicts } = servers.store;
  await cloneRun(servers.store, run, runId);
  const first = (await designs.findOne({ _id: /^audited-asked\/search-aflow-.*\/c-000\/q-000\/d-0$/ }))!;
  const rollout = first.rolloutId;
  const ask = async (question: string) => {
    await designs.updateOne({ _id: first._id }, { $set: { question } });
    await executions.updateMany({ rolloutId: rollout }, { $set: { question } });
  };
  await ask('another');
  const solved = (await designs.findOne({ _id: /^audited-asked\/solve-/ }))!;
  const given = (await verdicts.findOne({ runId, verdict: { $ne: null } }))!;
  const { batchId, rolloutId } = solved;
  const _id = `${solved._id}/e-0`;
  await verdicts.insertOne({ ...given, _id, batchId, rolloutId });
  const { findings } = await auditRun(database, runId, { client: null });
  expect(findings).toContainEqual({
    check: 'questions',
    id: rollout,
    problem: "asks 'another', which is not among the training questions",
  });
  expect(findings).toContainEqual({
    check: 'verdicts',
    id: _id,
    problem: 'judges an answer to a question that somebody asked',
  });
  const { question: next } = (await designs.findOne({ _id: `${first.batchId}/q-001/d-0` }))!;
  await ask(next);
  const again = (await auditRun(database, runId, { client: null })).findings;
  expect(again).toContainEqual({ check: 'questions', id: first.batchId, problem: `asks '${next}' again` });
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
