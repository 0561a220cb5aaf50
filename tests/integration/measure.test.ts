/** `eval` and `solve` as the user types them, on real servers with a real (tiny) policy. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dashboardApp } from '../../cli/dashboard/app.ts';
import { storeSearch } from '../../cli/measure/search.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { systemOf } from '../../shared/systems/registry.ts';
import type { SearchedSystem } from '../../shared/systems/system.ts';
import { metaagentx, runCommandLine } from '../helpers/command-line.ts';
import { startJudge } from '../helpers/judge.ts';
import type { Judge } from '../helpers/judge.ts';
import { connectServers, copyRun, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

const run = 'measured';
let servers: TestServers;
let judge: Judge;
let workers: WorkerProcess[];
let folder: string;
let questions: string;

beforeAll(async () => {
  servers = await connectServers();
  judge = await startJudge(servers.store);
  workers = await Promise.all(['control', 'gpu'].map((queue) => startWorkerProcess(queue)));
  folder = await mkdtemp(join(tmpdir(), 'measure-'));
  questions = join(folder, 'two.jsonl');
  await writeFile(
    questions,
    '{"id":"a","question":"Tom has 3 pens and gets 4 more. How many pens?","answer":"7"}\n' +
      '{"id":"b","question":"Ann has 9 cups and loses 2. How many cups are left?","answer":"7"}\n',
  );
  await trainTinyRun(servers, run);
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await judge.stop();
  await servers.close();
  await rm(folder, { recursive: true });
});

describe('eval', () => {
  it('scores a questions file by the stored verdicts, k fresh designs a question', async () => {
    const { code, data } = await metaagentx('eval', `${run}@latest`, '-k', '3', '--questions', questions);
    expect(code).toBe(0);
    expect(data).toMatchObject({
      samples: 3,
      questions: 2,
      policyVersion: 3,
      dataset: { name: 'two.jsonl', count: 2 },
    });
    const { store } = servers;
    const batchId = String(data.id);
    expect(await store.designs.countDocuments({ batchId })).toBe(6);
    const right = await store.verdicts.countDocuments({ batchId, 'verdict.correct': true });
    expect(data.metrics.average).toBeCloseTo(right / 6, 12);
    const asked = await store.designs.distinct('question', { batchId });
    expect(asked.sort()).toEqual(['a', 'b']);
  });

  it('shows what is measured already, and measures again with other samples when told to', async () => {
    const [first, same, again] = [
      await metaagentx('eval', `${run}@v3`, '-k', '3', '--questions', questions),
      await metaagentx('eval', `${run}@v3`, '-k', '3', '--questions', questions),
      await metaagentx('eval', `${run}@v3`, '-k', '3', '--questions', questions, '--again'),
    ];
    expect(same.data.id).toBe(first.data.id);
    expect(same.log).toContain('--again');
    expect(again.data.id).toBe(`${first.data.id}-2`);
    const tokens = async (batchId: unknown) =>
      (
        await servers.store.designs
          .find({ batchId: String(batchId) })
          .sort({ _id: 1 })
          .toArray()
      ).map((design) => Buffer.from(design.tokenIds.buffer).toString('hex'));
    expect(await tokens(again.data.id)).not.toEqual(await tokens(first.data.id));
  });

  it('takes the held-out questions of the run where no file is given', async () => {
    const { data } = await metaagentx('eval', `${run}@v2`, '-k', '1', '--limit', '3');
    expect(data).toMatchObject({ policyVersion: 2, samples: 1, questions: 3 });
    expect(data.perQuestion).toHaveLength(3);
  });

  it.each([
    [['eval', `${run}@v99`], 3, 'was never committed'],
    [['eval', 'no-such-run@latest'], 3, 'no-such-run'],
    [['eval', `${run}@nonsense`], 2, 'is not RUN@vN'],
    [['eval', `${run}@latest`, '-k', '0'], 2, 'whole number from 1'],
    [['eval', `${run}@latest`, '--questions', '/nowhere.jsonl'], 2, '/nowhere.jsonl'],
  ])('refuses %j', async (argv, exitCode, reason) => {
    const { code, data } = await metaagentx(...argv);
    expect(code).toBe(exitCode);
    expect(data.error.message).toContain(reason);
  });
});

describe('script run', () => {
  it('takes a version that was never committed for what it is, and samples from one that was', async () => {
    const script = join(folder, 'design.js');
    await writeFile(script, "return agent('steps');");
    const argv = ['script', 'run', script, '--question', '6'];
    const refused = await metaagentx(...argv, '--policy', `${run}@v99`);
    expect(refused).toMatchObject({ code: 3, data: { error: { name: 'CheckpointMissing' } } });
    expect((await metaagentx(...argv, '--policy', run)).data.error).toBeUndefined();
  });
});

describe('what has been measured', () => {
  it('is listed, shown, and derived again from stored answers alone, identically', async () => {
    const { data } = await metaagentx('eval', `${run}@latest`, '-k', '4');
    const id = String(data.id);
    const listed = await metaagentx('eval', 'list', run);
    expect(listed.data.evaluations.map((each: { id: string }) => each.id)).toContain(id);
    const [shown, recomputed] = [
      await metaagentx('eval', 'show', id),
      await metaagentx('eval', 'show', id, '--recompute'),
    ];
    expect(recomputed).toMatchObject({ code: 0, data: { identical: true, differences: [], changedVerdicts: [] } });
    for (const part of ['metrics', 'intervals', 'perQuestion']) expect(recomputed.data[part]).toEqual(shown.data[part]);
    expect(Object.keys(shown.data.metrics)).toEqual(
      expect.arrayContaining(['average', 'pass@2', 'pass@4', 'majority']),
    );
    // `eval` has an option of that name too.
    const { stdout } = await runCommandLine(['eval', 'show', id, '--csv', 'questions'], process.env);
    const [header, ...rows] = stdout.trim().split('\n');
    expect(header).toBe('evaluation,question,kind,samples,correct,majority,calls,promptTokens,responseTokens');
    expect(rows.map((row) => row.split(',').slice(0, 2))).toEqual(
      shown.data.perQuestion.map(({ question }: { question: string }) => [id, question]),
    );
  });

  it('costs what the journal holds', async () => {
    const id = String((await metaagentx('eval', `${run}@latest`, '-k', '4')).data.id);
    const { store } = servers;
    const [evaluation, calls, designs] = await Promise.all([
      store.evaluations.findOne({ _id: id }),
      store.calls.find({ batchId: id, kind: 'model' }).toArray(),
      store.designs.find({ batchId: id }).toArray(),
    ]);
    const answers = 4 * evaluation!.questions;
    const tokens = [...calls, ...designs].reduce((sum, each) => sum + (each.responseTokens ?? 0), 0);
    expect(evaluation!.metrics.callsPerAnswer).toBeCloseTo((calls.length + designs.length) / answers, 12);
    expect(evaluation!.metrics.responseTokensPerAnswer).toBeCloseTo(tokens / answers, 9);
  });

  it('is found out when somebody changed it', async () => {
    const { store } = servers;
    const argv = ['eval', `${run}@v2`, '-k', '2', '--system', 'single-agent'];
    const id = String((await metaagentx(...argv)).data.id);
    const verdict = await store.verdicts.findOne({ batchId: id, verdict: { $ne: null } });
    const flipped = !verdict!.verdict!.correct;
    await store.verdicts.updateOne({ _id: verdict!._id }, { $set: { 'verdict.correct': flipped } });
    await store.evaluations.updateOne({ _id: id }, { $set: { 'metrics.average': 0.123 } });
    const { code, data } = await metaagentx('eval', 'show', id, '--recompute');
    expect(code).toBe(1);
    expect(data).toMatchObject({ identical: false, changedVerdicts: [verdict!._id] });
    expect(data.differences).toEqual([expect.stringMatching(/^metrics\.average: 0\.123, recomputed /)]);
  });

  it('is compared question by question, and only on the same questions', async () => {
    const ids = [];
    for (const policy of ['v3', 'v0'])
      ids.push(String((await metaagentx('eval', `${run}@${policy}`, '-k', '4')).data.id));
    const { data } = await metaagentx('eval', 'compare', ...ids);
    const [trained, initial] = await Promise.all(ids.map((id) => servers.store.evaluations.findOne({ _id: id })));
    expect(data.difference).toBeCloseTo(trained!.metrics.average - initial!.metrics.average, 12);
    expect(data.better + data.equal + data.worse).toBe(4);
    const other = String((await metaagentx('eval', `${run}@v3`, '-k', '3', '--questions', questions)).data.id);
    expect(await metaagentx('eval', 'compare', ids[0]!, other)).toMatchObject({ code: 2 });
  });

  it('refuses an unknown id', async () => {
    expect((await metaagentx('eval', 'show', `${run}/eval-nothing`)).code).toBe(3);
  });
});

describe('systems under comparison', () => {
  it.each([
    ['single-agent', [], 1, 1],
    ['self-consistency', ['--budget', 'calls=4'], 4, 4],
    ['ensemble', [], 3, 4],
    ['debate', ['--budget', 'calls=3'], 3, 3],
    ['reflection', ['--budget', 'calls=3'], 1, 3],
  ])('%s answers by its script, without a Designer', async (system, options, least, most) => {
    const { code, data } = await metaagentx('eval', `${run}@latest`, '-k', '2', '--system', system, ...options);
    expect(code).toBe(0);
    const { store } = servers;
    const batchId = String(data.id);
    const [designs, executions] = await Promise.all([
      store.designs.find({ batchId }).toArray(),
      store.executions.find({ batchId }).toArray(),
    ]);
    expect(designs).toHaveLength(8);
    expect(new Set(designs.map(({ script }) => script)).size).toBe(1);
    expect(designs.every(({ writtenBy, responseTokens }) => writtenBy === 'system' && responseTokens === 0)).toBe(true);
    for (const { usage } of executions) {
      expect(usage.calls).toBeGreaterThanOrEqual(least);
      expect(usage.calls).toBeLessThanOrEqual(most);
    }
    expect(data.metrics.callsPerAnswer).toBe(executions.reduce((sum, { usage }) => sum + usage.calls, 0) / 8);
    expect((await metaagentx('eval', 'show', batchId, '--recompute')).data.identical).toBe(true);
  });

  it('what was given is not shown as sampled', async () => {
    const { data } = await metaagentx('eval', `${run}@latest`, '-k', '2', '--system', 'single-agent');
    const design = `${data.id}/q-000/d-0`;
    const { stdout } = await runCommandLine(['inspect', design], process.env);
    expect(stdout).toMatch(/^given +as the script of a system: no model was asked for it$/m);
    expect(stdout).not.toMatch(/^(sampled|settings) /m);
    expect((await metaagentx('inspect', design)).data.prompt).toBeNull();
    const app = dashboardApp({ store: servers.store, hosts: null, temporalUrl: () => null });
    const page = await (await app.request(`/runs/${design}`)).text();
    expect(page).toContain('no model was asked for it');
    expect(page).not.toContain('sampled by');
    const sampled = `${(await metaagentx('eval', `${run}@latest`, '-k', '3')).data.id}/q-000/d-0`;
    expect((await runCommandLine(['inspect', sampled], process.env)).stdout).toMatch(/^sampled +by v3 /m);
    expect(await (await app.request(`/runs/${sampled}`)).text()).toContain('sampled by');
  });

  it('untrained-designer is the version after the cold start', async () => {
    const { data } = await metaagentx('eval', `${run}@latest`, '-k', '1', '--system', 'untrained-designer');
    expect(data).toMatchObject({ system: 'untrained-designer', policyVersion: 2 });
    const other = await metaagentx('eval', `${run}@v3`, '--system', 'untrained-designer');
    expect([other.code, other.data.error.message]).toEqual([3, expect.stringContaining('no other version than v2')]);
  });

  it('a budget binds the designs of the policy too, its own call included', async () => {
    const { data } = await metaagentx('eval', `${run}@latest`, '-k', '3', '--budget', 'calls=2');
    const executions = await servers.store.executions.find({ batchId: String(data.id) }).toArray();
    expect(Math.max(...executions.map(({ usage }) => usage.calls))).toBeLessThanOrEqual(1);
    expect(data.metrics.callsPerAnswer).toBeLessThanOrEqual(2);
    expect(data.budget).toEqual({ unit: 'calls', amount: 2 });
  });

  it.each([
    [['--system', 'nobody'], 'expected one of single-agent'],
    [['--system', 'debate', '--budget', 'calls=2'], 'at least 3 calls'],
    [['--budget', 'two'], 'calls=N or tokens=N'],
    [['--system', 'single-agent-grpo'], 'train --recipe toy --system single-agent-grpo'],
  ])('refuses %j', async (options, reason) => {
    const { code, data } = await metaagentx('eval', `${run}@latest`, ...options);
    expect(code).toBe(2);
    expect(data.error.message).toContain(reason);
  });

  it('single-agent-grpo trains the executor on one script', async () => {
    const runId = 'agent-grpo';
    await trainTinyRun(servers, runId, ['rollout.executionsPerDesign=4'], { system: 'single-agent-grpo' });
    const { store } = servers;
    const batchId = `${runId}/stage-01/iter-001`;
    const [designs, credits, iteration] = await Promise.all([
      store.designs.find({ batchId }).toArray(),
      store.credits.find({ batchId, role: 'executor' }).toArray(),
      store.iterations.findOne({ _id: batchId }),
    ]);
    expect(designs.map(({ writtenBy, script }) => [writtenBy, script])).toEqual(
      Array.from({ length: 2 }, () => ['system', 'return agent("steps");']),
    );
    expect(credits.map(({ groupSize }) => groupSize)).toEqual(Array.from({ length: 8 }, () => 4));
    expect(iteration).toMatchObject({ learner: 'executor', policyIn: 2, policyOut: 3 });
  });
});

describe('systems that are searched for', () => {
  const options = ['-k', '2', '--search-questions', '3'];

  it('aflow tries scripts on training questions and answers with the best', async () => {
    const argv = ['eval', `${run}@latest`, '--system', 'aflow', '--search-rounds', '4', ...options];
    const { code, data } = await metaagentx(...argv);
    expect(code).toBe(0);
    const { store } = servers;
    const search = await store.searches.findOne({ runId: run, system: 'aflow' });
    const candidates = await store.candidates.find({ searchId: search!._id }).sort({ number: 1 }).toArray();
    expect(candidates.map(({ origin }) => origin)).toEqual(['given', 'sample', 'edit', 'sample']);
    for (const { _id, score, refusal, sameAs } of candidates) {
      const asked = await store.designs.countDocuments({ batchId: _id });
      const right = await store.verdicts.countDocuments({ batchId: _id, 'verdict.correct': true });
      expect(asked).toBe(refusal === null && sameAs === null ? 3 : 0);
      if (asked > 0) expect(score).toBeCloseTo(right / 3, 12);
    }
    const best = Math.max(...candidates.filter(({ refusal }) => refusal === null).map(({ score }) => score!));
    const found = await store.systems.findOne({ _id: search!._id.replace('/search-', '/system-') });
    expect(candidates.find(({ score, refusal }) => score === best && refusal === null)?.script).toBe(
      found?.source.type === 'script' ? found.source.script : null,
    );
    const answered = await store.calls.countDocuments({ batchId: { $regex: `^${search!._id}/c-` } });
    const proposed = candidates.filter(({ origin }) => origin === 'sample').length;
    expect(found?.search).toMatchObject({ rounds: 4, calls: answered + proposed });
    expect(data.system).toBe('aflow');
    expect((await metaagentx(...argv)).data.id).toBe(data.id);
  });

  it('a search that was cut off goes on to the same candidates', async () => {
    const { store, client } = servers;
    await copyRun(servers, run, 'cut-off');
    const argv = ['--system', 'aflow', '--search-rounds', '4', ...options];
    const whole = await metaagentx('eval', `${run}@latest`, ...argv);
    // The last candidate that is asked anything, as far from the beginning as this policy's scripts allow.
    const asked = store.candidates.find({ runId: run, refusal: null, sameAs: null }).sort({ number: -1 });
    const { _id, searchId } = (await asked.next())!;
    const held = judge.hold(new RegExp(`^cut-off${_id.slice(run.length)}$`));
    const cut = metaagentx('eval', 'cut-off@latest', ...argv);
    await Promise.race([held.reached, cut]);
    await client.workflow.getHandle(searchId.replace(run, 'cut-off')).terminate('test');
    expect((await cut).code).toBe(2);
    held.release();
    const resumed = await metaagentx('eval', 'cut-off@latest', ...argv);
    expect(resumed.data.metrics).toEqual(whole.data.metrics);
    const tried = async (runId: string) =>
      (await store.candidates.find({ runId }).sort({ number: 1 }).toArray()).map(({ script, score }) => [
        script,
        score,
      ]);
    expect(await tried('cut-off')).toEqual(await tried(run));
  });

  it('maas learns to pick from a pool', async () => {
    const { code, data } = await metaagentx(
      'eval',
      `${run}@latest`,
      '--system',
      'maas',
      '--search-rounds',
      '2',
      ...options,
    );
    expect(code).toBe(0);
    const { store } = servers;
    const steps = await store.systems
      .find({ _id: { $regex: `^${run}/search-maas-` } })
      .sort({ _id: 1 })
      .toArray();
    expect(steps).toHaveLength(3);
    const weights = steps.map(({ source }) => (source.type === 'pool' ? source.weights.flat() : []));
    expect(weights[0]!.every((weight) => weight === 0)).toBe(true);
    expect(weights[0]).toHaveLength(5 * 65);
    expect(await store.designs.countDocuments({ batchId: steps[0]!._id })).toBe(12);
    const pool = steps[0]!.source.type === 'pool' ? steps[0]!.source.scripts : [];
    const answered = await store.designs.distinct('script', { batchId: String(data.id) });
    expect(answered.every((script) => pool.includes(script!))).toBe(true);
  });

  it('asks no candidate a question twice', async () => {
    const { store } = servers;
    const found = (await store.runs.findOne({ _id: run }))!;
    const { count } = found.datasets.train;
    const wanted = { system: systemOf('adas') as SearchedSystem, budget: null };
    const settings = { rounds: 1, questions: count + 1, calls: null };
    const plan = await storeSearch(store, resolveTemporalConfig({}), found, 3, { ...wanted, settings });
    expect(plan.questions).toBe(count);
    expect((await store.searches.findOne({ _id: plan.searchId }))!.settings.questions).toBe(count);
  });

  it('ends when its model calls are used up', async () => {
    const argv = ['--system', 'adas', '--search-rounds', '9', '--search-calls', '10', ...options];
    await metaagentx('eval', `${run}@latest`, ...argv);
    const found = await servers.store.systems.findOne({ runId: run, system: 'adas', search: { $exists: true } });
    expect(found!.search!.rounds).toBeLessThan(9);
    expect(found!.search!.calls).toBeGreaterThanOrEqual(10);
  });
});

describe('solve', () => {
  it('prints the script that ran and its answer, fresh each time', async () => {
    const text = 'Tom has 3 pens and gets 4 more. How many pens?';
    const [first, second] = [await metaagentx('solve', run, text), await metaagentx('solve', `${run}@v3`, text)];
    expect(second.data.batchId).not.toBe(first.data.batchId);
    for (const { code, data } of [first, second]) {
      const execution = await servers.store.executions.findOne({ batchId: String(data.batchId) });
      expect(data.answer).toBe(execution?.reply?.answer ?? null);
      expect(code).toBe(execution?.reply == null ? 1 : 0);
      const last = data.designs.at(-1);
      expect(last.outcome).toBe(execution === null ? last.outcome : 'valid');
      expect(data.script).toBe(execution === null ? null : last.script);
    }
    const shown = await metaagentx('inspect', `${first.data.batchId}/q-0`);
    expect(shown.code).toBe(0);
    expect(JSON.stringify(shown.data)).toContain(text);
  });

  it('refuses an empty question', async () => {
    expect((await metaagentx('solve', run, ' ')).code).toBe(2);
  });
});
