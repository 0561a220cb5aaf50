/**
 * Over 500 lines, for everything here is done to copies of one trained run, and a second file would train another.
 *
 * Runs that lost something: their workflow, the whole Temporal server, the database's newest writes, a blob. Each goes on
 * and ends with the versions, credits and samples of a run that lost nothing, or is refused by name with the way out.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { auditRun } from '../../audit/audit-run.ts';
import { openDatabase } from '../../audit/database.ts';
import type { Database } from '../../audit/database.ts';
import type { AuditReport } from '../../audit/report.ts';
import { shownCalls } from '../../activities/recovery/lost-calls.ts';
import { rollBack } from '../../activities/recovery/roll-back.ts';
import { surveyRun } from '../../activities/recovery/survey.ts';
import { collectGarbage } from '../../activities/store/collect-garbage.ts';
import type { Cli } from '../../cli/command.ts';
import { forkRun } from '../../cli/fork-run.ts';
import { repairWithOwnEngine } from '../../cli/repair-version.ts';
import { resumeRun } from '../../cli/resume-run.ts';
import { ensureStack } from '../../cli/stack/stack.ts';
import { restoreRuns } from '../../cli/study/restore-runs.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { callId, policyId } from '../../shared/domain/ids.ts';
import type { Progress } from '../../shared/domain/plan.ts';
import { cloneRun, documentsOf, lossesAt, momentsOf, runCollections } from '../helpers/clone-run.ts';
import { metaagentx, runCommandLine } from '../helpers/command-line.ts';
import { startJudge } from '../helpers/judge.ts';
import type { Judge } from '../helpers/judge.ts';
import { localEnvironment } from '../helpers/servers.ts';
import { connectServers, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

const config = resolveTemporalConfig({});
let servers: TestServers;
let database: Database;
let mongo: MongoClient;
let judge: Judge;
let workers: WorkerProcess[] = [];

beforeAll(async () => {
  const { mongoUri, database: name } = inject('stack');
  servers = await connectServers();
  database = await openDatabase(mongoUri, name);
  mongo = await MongoClient.connect(mongoUri);
  judge = await startJudge(servers.store);
  await startWorkers();
  await trainTinyRun(servers, 'base', ['stages.count=0']);
  await fork('calm');
  await servers.client.workflow.getHandle('calm').result();
  const { parts } = (await servers.store.policies.findOne({ _id: 'calm/v000002' }))!;
  expect(parts.shared!.optimizerStep).toBeGreaterThan(0);
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await judge.stop();
  await mongo.close();
  await database.close();
  await servers.close();
});

const startWorkers = async () =>
  void (workers = await Promise.all(['control', 'gpu'].map((queue) => startWorkerProcess(queue))));

/** With an entropy bonus every batch has a gradient, whatever its rewards; what any version begins with stays. */
const learning = ['update.dropZeroAdvantage=false', 'update.entropyCoef=0.01', 'retention.optimizer=10'];
/** So many designs that some may run in every iteration: about half of them may. */
const larger = ['rollout.questionsPerIteration=4', 'rollout.designsPerQuestion=3'];

/** Two stages of two iterations from the end of the base's cold start. */
const fork = (runId: string, client = servers.client) =>
  forkRun(servers.store, client, {
    from: 'base@v2',
    runId,
    set: ['stages.count=2', 'stages.iterationsPerStage=2', 'evaluation.limit=2', ...larger, ...learning],
    config,
  });

async function until(condition: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited 120 s for a condition');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function audited(runId: string, client: Client | null = servers.client): Promise<AuditReport> {
  const report = await auditRun(database, runId, { client });
  expect(report.findings).toEqual([]);
  return report;
}

const callIn = (batchId: string) => () => servers.store.calls.findOne({ batchId });

describe('a run without its workflow', () => {
  it('terminated in mid-iteration: goes on after its last iteration and asks no finished call again', async () => {
    const held = judge.hold(/^ended\/stage-01\/iter-002$/);
    await fork('ended');
    await until(callIn('ended/stage-01/iter-002'));
    await servers.client.workflow.getHandle('ended').terminate('by a test');
    held.release();
    const before = await servers.store.calls.find({ runId: 'ended' }).toArray();
    expect(await resumeRun(servers.store, servers.client, 'ended')).toMatchObject({
      how: 'restarted',
      was: 'TERMINATED',
      from: { policyVersion: 1, iterations: [1, 0] },
      losses: [],
      changes: [],
    });
    await servers.client.workflow.getHandle('ended').result();
    for (const { _id, createdAt } of before) {
      expect((await servers.store.calls.findOne({ _id }))?.createdAt).toEqual(createdAt);
    }
    expect((await audited('ended')).fingerprint).toEqual((await audited('calm')).fingerprint);
    expect(await resumeRun(servers.store, servers.client, 'ended')).toEqual({ how: 'finished' });
  });

  it('without the records of its stages: they are made again as they were', async () => {
    const { store, client } = servers;
    const held = judge.hold(/^unsaid\/stage-02\/iter-002$/);
    await fork('unsaid');
    await until(callIn('unsaid/stage-02/iter-002'));
    await client.workflow.getHandle('unsaid').terminate('by a test');
    held.release();
    // As if it had been cut off before it said that the first stage had ended, and the store had lost the second.
    await store.stages.updateOne({ _id: 'unsaid/stage-01' }, { $set: { policyOut: null } });
    await store.stages.deleteOne({ _id: 'unsaid/stage-02' });
    const stagesOf = async (runId: string) =>
      (await store.stages.find({ runId }).sort({ stage: 1 }).toArray()).map(({ policyIn, policyOut }) => [
        policyIn,
        policyOut,
      ]);
    expect(await resumeRun(store, client, 'unsaid')).toMatchObject({ from: { iterations: [2, 1] }, losses: [] });
    expect(await stagesOf('unsaid')).toEqual([
      [0, 2],
      [2, null],
    ]);
    await client.workflow.getHandle('unsaid').result();
    expect(await stagesOf('unsaid')).toEqual(await stagesOf('calm'));
    await audited('unsaid');
    // Also of a run that has ended.
    await store.stages.deleteOne({ _id: 'unsaid/stage-01' });
    expect(await resumeRun(store, client, 'unsaid')).toEqual({ how: 'finished' });
    expect(await stagesOf('unsaid')).toEqual(await stagesOf('calm'));
    // And of one that a study goes on with.
    await store.stages.deleteOne({ _id: 'unsaid/stage-02' });
    const cli = { log: () => undefined } as unknown as Cli;
    expect(await restoreRuns(cli, { store, client }, 'study/none', ['unsaid'])).toBe('resting');
    expect(await stagesOf('unsaid')).toEqual(await stagesOf('calm'));
  });

  it("the Temporal server's data gone: the database alone is enough", async () => {
    judge.hold(/^gone\/stage-02\/iter-001$/);
    await fork('gone');
    await until(callIn('gone/stage-02/iter-001'));
    await Promise.all(workers.map((worker) => worker.kill()));
    const stateDir = mkdtempSync(join(tmpdir(), 'metaagentx-other-temporal-'));
    const { mongoUri, database: name } = inject('stack');
    const env = { ...localEnvironment(), MONGODB_URI: mongoUri, METAAGENTX_DATABASE: name };
    const other = await ensureStack({ stateDir, log: () => undefined, ports: { temporal: 0, ui: 0, mongo: 0 }, env });
    const connection = await Connection.connect({ address: other.addresses.temporalAddress });
    try {
      const client = new Client({ connection });
      const outcome = await resumeRun(servers.store, client, 'gone');
      expect(outcome).toMatchObject({ how: 'restarted', was: 'MISSING', from: { iterations: [2, 0] }, losses: [] });
      const own = await startWorkerProcess('all', { TEMPORAL_ADDRESS: other.addresses.temporalAddress });
      await client.workflow
        .getHandle('gone')
        .result()
        .finally(() => own.stop());
      expect((await audited('gone', client)).fingerprint).toEqual((await audited('calm')).fingerprint);
    } finally {
      await connection.close();
      await other.stop();
      rmSync(stateDir, { recursive: true, force: true });
      await servers.client.workflow.getHandle('gone').terminate('its server is gone');
      await startWorkers();
    }
  });
});

describe('a store that lost its newest writes', () => {
  it('at 8 random moments, each collection at another one: rolled back to what is whole, losing no more', async () => {
    const moments = await momentsOf(servers.store, 'calm');
    let withLosses = 0;
    for (let cut = 0; cut < 8; cut++) {
      const runId = `cut-${cut}`;
      await cloneRun(servers.store, 'calm', runId, lossesAt(moments, `cut/${cut}`, runCollections));
      await servers.store.runs.updateOne({ _id: runId }, { $set: { status: 'running' } });
      const survey = await surveyRun(servers.store, runId);
      withLosses += survey.losses.length > 0 ? 1 : 0;
      await rollBack(servers.store, runId, survey);
      const after = await surveyRun(servers.store, runId);
      expect(after.losses).toEqual([]);
      expect(after.position).toEqual(survey.position);
      await audited(runId, null);
    }
    expect(withLosses).toBeGreaterThanOrEqual(6);
  });

  it('finds a call that an execution was shown, whatever other executions have beyond what they were shown', async () => {
    await cloneRun(servers.store, 'calm', 'callless');
    const batchId = 'callless/stage-01/iter-001';
    const { calls, executions } = servers.store;
    const all = await executions.find({ batchId }).sort({ _id: 1 }).toArray();
    const shown = all.reduce((sum, { usage }) => sum + usage.calls + usage.toolCalls, 0);
    const losing = all.find((execution) => shownCalls(execution).length > 0)!;
    const other = await calls.findOne({ batchId, executionId: { $ne: losing._id } });
    for (const call of [90, 91]) await calls.insertOne({ ...other!, _id: `${other!.executionId}/c-00${call}`, call });
    const lost = callId(losing._id, shownCalls(losing)[0]!.call);
    expect((await calls.deleteOne({ _id: lost })).deletedCount).toBe(1);
    const { losses, position } = await surveyRun(servers.store, 'callless');
    expect(losses[0]).toBe(`1 of ${shown} calls of ${batchId}`);
    expect(position?.policyVersion).toBe(0);
  });

  it('measures a lost evaluation again with the version that it was of', async () => {
    await cloneRun(servers.store, 'calm', 'unmeasured');
    const { evaluations, runs } = servers.store;
    for (const batchId of ['unmeasured/eval-cold-start', 'unmeasured/eval-stage-01']) {
      expect((await evaluations.deleteOne({ _id: batchId })).deletedCount).toBe(1);
      for (const name of ['verdicts', 'executions', 'calls', 'designs'] as const)
        await documentsOf(servers.store, name).deleteMany({ batchId });
    }
    await runs.updateOne({ _id: 'unmeasured' }, { $set: { status: 'running' } });
    const outcome = await resumeRun(servers.store, servers.client, 'unmeasured');
    expect(outcome).toMatchObject({ how: 'restarted', from: { policyVersion: 4 }, losses: [] });
    await servers.client.workflow.getHandle('unmeasured').result();
    for (const [name, version] of Object.entries({ 'cold-start': 0, 'stage-01': 2, 'stage-02': 4 }))
      expect(await evaluations.findOne({ _id: `unmeasured/eval-${name}` })).toMatchObject({ policyVersion: version });
    expect((await audited('unmeasured')).fingerprint).toEqual((await audited('calm')).fingerprint);
  });

  it('counts calls whose design is lost among what belongs to nothing', async () => {
    await cloneRun(servers.store, 'calm', 'designless');
    const batchId = 'designless/stage-02/iter-002';
    const { designs, calls, iterations, policies } = servers.store;
    await iterations.deleteOne({ _id: batchId });
    await policies.deleteOne({ runId: 'designless', madeBy: batchId });
    // Without its version, an evaluation is a loss of its own.
    const measured = 'designless/eval-stage-02';
    expect((await surveyRun(servers.store, 'designless')).losses).toEqual([`designless/v000004 of ${measured}`]);
    await servers.store.evaluations.deleteOne({ _id: measured });
    await servers.store.credits.deleteMany({ batchId });
    await servers.store.verdicts.deleteMany({ batchId });
    await servers.store.executions.deleteMany({ batchId });
    expect((await surveyRun(servers.store, 'designless')).losses).toEqual([]);
    const called = await calls.findOne({ batchId });
    const design = called!.executionId.replace(/\/e-\d+$/, '');
    await designs.deleteOne({ _id: design });
    const orphans = await calls.countDocuments({ executionId: { $regex: `^${design}/` } });
    expect(orphans).toBeGreaterThan(0);
    const { losses, iterations: open } = await surveyRun(servers.store, 'designless');
    expect(losses).toEqual([`what ${orphans} documents belong to of ${batchId}`]);
    expect(open).toEqual([batchId]);
  });

  it('finds what is left of an iteration after the one whose record and version are lost', async () => {
    await cloneRun(servers.store, 'calm', 'ahead');
    const [open, next] = ['ahead/stage-02/iter-001', 'ahead/stage-02/iter-002'];
    for (const batchId of [open, next]) {
      await servers.store.iterations.deleteOne({ _id: batchId });
      await servers.store.policies.deleteOne({ runId: 'ahead', madeBy: batchId });
    }
    for (const name of ['credits', 'verdicts', 'executions', 'designs'] as const)
      await documentsOf(servers.store, name).deleteMany({ batchId: next });
    const survey = await surveyRun(servers.store, 'ahead');
    expect(survey.losses).toEqual([`what comes before ${next}`]);
    expect(survey.iterations).toEqual([next, open]);
    await rollBack(servers.store, 'ahead', survey);
    expect(await servers.store.calls.countDocuments({ batchId: next })).toBe(0);
  });

  it('is named at the resume, and the run ends as if nothing had been lost', async () => {
    await cloneRun(servers.store, 'calm', 'lossy');
    await servers.store.policies.deleteOne({ _id: 'lossy/v000003' });
    await servers.store.executions.deleteOne({ batchId: 'lossy/stage-01/iter-002' });
    const outcome = await resumeRun(servers.store, servers.client, 'lossy');
    expect(outcome).toMatchObject({ how: 'restarted', was: 'MISSING', from: { policyVersion: 1, iterations: [1, 0] } });
    expect(outcome).toHaveProperty(
      'losses.0',
      expect.stringMatching(/^1 of \d+ executions of lossy.stage-01.iter-002$/),
    );
    const { rollbacks } = (await servers.store.runs.findOne({ _id: 'lossy' }))!;
    expect(rollbacks).toMatchObject([{ to: 1 }]);
    await servers.client.workflow.getHandle('lossy').result();
    expect((await audited('lossy')).fingerprint).toEqual((await audited('calm')).fingerprint);
  });

  it('behind its running workflow: the workflow ends, the run is rolled back', async () => {
    const { store, client } = servers;
    const [run, stage] = ['behind', 'behind/stage-01-executor'].map((id) => client.workflow.getHandle(id));
    const held = judge.hold(/^behind\/stage-01\/iter-001$/);
    await fork('behind');
    await held.reached;
    await run!.signal('pause');
    await until(async () => (await stage!.query<Progress>('progress')).phase === 'paused');
    held.release();
    await until(async () => {
      const { typedSearchAttributes } = await run!.describe();
      return typedSearchAttributes.getAll().some(({ key, value }) => key.name === 'PolicyVersion' && value === 1);
    });
    // Between its iterations nothing is at work that could write.
    expect((await store.iterations.deleteOne({ _id: 'behind/stage-01/iter-001' })).deletedCount).toBe(1);
    await store.policies.deleteOne({ _id: 'behind/v000001' });
    const outcome = await resumeRun(store, client, 'behind');
    expect(outcome).toMatchObject({ was: 'RUNNING', from: { policyVersion: 0, iterations: [0, 0] } });
    expect(outcome).toHaveProperty('losses', ['behind/v000001, which the workflow had committed']);
    await run!.result();
    expect((await audited('behind')).fingerprint).toEqual((await audited('calm')).fingerprint);
  });
});

describe('a damaged blob', () => {
  it('is named by audit and resume, and made again from its parent, bit for bit', async () => {
    await cloneRun(servers.store, 'calm', 'damaged');
    await servers.store.iterations.deleteMany({
      _id: { $in: ['damaged/stage-02/iter-001', 'damaged/stage-02/iter-002'] },
    });
    await servers.store.runs.updateOne({ _id: 'damaged' }, { $set: { status: 'running' } });
    await rollBack(servers.store, 'damaged', await surveyRun(servers.store, 'damaged'));
    const policy = (await servers.store.policies.findOne({ _id: 'damaged/v000002' }))!;
    const { weights, optimizer, changedIn } = policy.parts.shared!;
    const files = mongo.db(inject('stack').database).collection('weights.files');
    const chunks = mongo.db(inject('stack').database).collection('weights.chunks');
    const { _id: files_id } = (await files.findOne({ filename: weights }))!;
    const chunk = (await chunks.findOne({ files_id }))!;
    const bytes = Buffer.from((chunk.data as { buffer: Uint8Array }).buffer);
    bytes[bytes.length >> 1]! ^= 1;
    await chunks.updateOne({ _id: chunk._id }, { $set: { data: bytes } });
    await files.deleteMany({ filename: optimizer! });

    const { findings } = await auditRun(database, 'damaged', { client: null });
    expect(findings.map(({ check }) => check)).toEqual(['blobs', 'blobs']);
    await expect(resumeRun(servers.store, servers.client, 'damaged')).rejects.toMatchObject({
      name: 'CheckpointCorrupt',
      message: expect.stringContaining('npx metaagentx repair') as string,
    });
    const signal = new AbortController().signal;
    const { restored, derived } = await repairWithOwnEngine(servers.store, config, 'damaged@v2', signal);
    expect(restored.sort()).toEqual([weights, optimizer].sort());
    expect(derived).toEqual([policyId('damaged', changedIn)]);
    await audited('damaged', null);
    const again = await metaagentx('repair', 'damaged@v2');
    expect(again).toMatchObject({ code: 0, data: { restored: [], derived: [] } });
  });
});

describe('a repair', () => {
  const filesOf = () => mongo.db(inject('stack').database).collection('weights.files');
  const blobsOf = async (_id: string) => {
    const { weights, optimizer } = (await servers.store.policies.findOne({ _id }))!.parts.shared!;
    return [weights, optimizer!].sort();
  };
  const heldBy = async (whom: RegExp) =>
    (await servers.store.blobs.claims()).filter(({ claimant }) => whom.test(claimant));

  it('that is killed in the middle leaves nothing behind for good, and is done again', async () => {
    await cloneRun(servers.store, 'calm', 'broken-off');
    const [first] = await blobsOf('broken-off/v000003');
    await filesOf().deleteMany({ filename: first });
    const folder = mkdtempSync(join(tmpdir(), 'metaagentx-crash-'));
    writeFileSync(join(folder, 'blob-half-written'), '');
    const environment = { ...process.env, VITEST: undefined, METAAGENTX_CRASH_POINTS: folder };
    const argv = ['bin/metaagentx.mjs', 'repair', 'broken-off@v3'];
    const killed = spawnSync(process.execPath, argv, { env: environment, encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect(killed.signal, killed.stderr + killed.stdout).toBe('SIGKILL');
    const [left, ...others] = await heldBy(/^repair broken-off/);
    expect([left, others]).toEqual([expect.objectContaining({ digest: first, isLapsed: false }), []]);
    expect((await metaagentx('gc')).code).toBe(0);
    expect(await heldBy(/^repair broken-off/)).toEqual([left]);
    const claims = mongo.db(inject('stack').database).collection('claims');
    await claims.updateMany({ claimant: left!.claimant }, { $set: { until: new Date(0) } });
    expect((await metaagentx('gc')).data.uploads).toBeGreaterThanOrEqual(1);
    expect(await heldBy(/^repair broken-off/)).toEqual([]);
    const again = await metaagentx('repair', 'broken-off@v3');
    expect(again.data.restored, again.log).toEqual([first]);
    expect(await heldBy(/^repair broken-off/)).toEqual([]);
  });

  it('of what retention has taken is safe beside a garbage collection until its version says so', async () => {
    await cloneRun(servers.store, 'calm', 'beside');
    const { store } = servers;
    const { policies } = store;
    const _id = 'beside/v000003';
    const digests = await blobsOf(_id);
    // No other version of the store may need them.
    const same = { 'parts.shared.weights': { $in: digests } };
    const others = await policies.find(same, { projection: { _id: 1 } }).toArray();
    await policies.updateMany(same, { $set: { pruned: { weights: true, optimizer: true } } });
    await filesOf().deleteMany({ filename: { $in: digests } });
    const updateOne: typeof policies.updateOne = async (...given) => {
      await collectGarbage(store, { dryRun: false });
      return policies.updateOne(...given);
    };
    const facing = { ...store, policies: Object.assign(Object.create(policies) as typeof policies, { updateOne }) };
    await repairWithOwnEngine(facing, config, 'beside@v3', new AbortController().signal);
    expect(await Promise.all(digests.map((digest) => store.blobs.has(digest)))).toEqual([true, true]);
    await policies.updateMany({ _id: { $in: others.map((other) => other._id) } }, { $unset: { pruned: 1 } });
  });

  describe('of the first version of a fork whose origin was pruned', () => {
    const kept = new Map<string, Uint8Array>();
    /** Forks a version, marks it and those beside it as retention would, and keeps their blobs aside. */
    async function graft(from: string, version: number, runId: string, pruned: string[]): Promise<void> {
      const { store, client } = servers;
      const set = ['stages.count=0', 'evaluation.limit=0'];
      await forkRun(store, client, { from: `${from}@v${version}`, runId, set, config });
      await client.workflow.getHandle(runId).result();
      for (const _id of pruned) {
        for (const digest of await blobsOf(_id)) kept.set(digest, await store.blobs.get(digest));
        await store.policies.updateOne({ _id }, { $set: { pruned: { weights: true, optimizer: true } } });
      }
    }
    const loseBlobs = () => filesOf().deleteMany({ filename: { $in: [...kept.keys()] } });
    const putBack = async () => {
      for (const [digest, bytes] of kept) await servers.store.blobs.restore(digest, bytes, 'a test');
      await servers.store.blobs.release('a test');
      kept.clear();
    };

    it('goes back through the runs that it comes from, to the nearest version that is whole', async () => {
      const { store } = servers;
      await trainTinyRun(servers, 'stem', ['stages.count=0', 'coldStart.chunks=3']);
      await graft('stem', 2, 'graft', []);
      await graft('graft', 0, 'graft-2', ['stem/v000001', 'stem/v000002']);
      const [own, others] = [await blobsOf('graft-2/v000000'), await blobsOf('stem/v000001')];
      expect(own.filter((digest) => others.includes(digest))).toEqual([]);
      await loseBlobs();
      const { code, data, log } = await metaagentx('repair', 'graft-2@v0');
      expect(code, log).toBe(0);
      expect(data.derived).toEqual(['stem/v000001', 'stem/v000002', 'graft/v000000', 'graft-2/v000000']);
      expect(data.restored.sort()).toEqual(own);
      for (const digest of own) expect(Buffer.compare(await store.blobs.get(digest), kept.get(digest)!)).toBe(0);
      // The origin's own are given up still.
      expect((await store.policies.findOne({ _id: 'stem/v000002' }))!.pruned).toEqual({
        weights: true,
        optimizer: true,
      });
      for (const digest of others) expect(await store.blobs.has(digest)).toBe(false);
      kept.clear();
    });

    it('says what is missing, why, and how to go on where the origin cannot make it either', async () => {
      const batchId = 'trunk/stage-01/iter-001';
      await cloneRun(servers.store, 'calm', 'trunk');
      await graft(
        'trunk',
        1,
        'shoot',
        [1, 2, 3, 4].map((version) => policyId('trunk', version)),
      );
      const own = await blobsOf('shoot/v000000');
      try {
        for (const [name, query, why] of [
          ['iterations', { _id: batchId }, `trunk/v000001 was made by ${batchId}, which is not in the store`],
          ['credits', { batchId, role: 'executor' }, `the store has lost 1 of \\d+ credits of ${batchId}, from which`],
          ['policies', { _id: 'trunk/v000001' }, 'shoot/v000000 begins with trunk/v000001, whose record is not in the'],
        ] as const) {
          const documents = documentsOf(servers.store, name);
          const lost = (await documents.findOne(query as never))!;
          await documents.deleteOne({ _id: lost._id });
          await loseBlobs();
          const { code, data } = await metaagentx('repair', 'shoot@v0');
          await documents.insertOne(lost);
          expect(code).not.toBe(0);
          const { message } = data.error as { message: string };
          expect(message).toMatch(new RegExp(`^shoot/v000000 cannot be made whole: .*${why}`));
          for (const digest of own) expect(message).toContain(`of shoot/v000000 (blob ${digest})`);
          expect(message).toMatch(/backup of the store .* npx metaagentx fork trunk@v0 --run-id NEW$/);
        }
      } finally {
        await putBack();
      }
    });
  });
});

describe('a rollback to a version that retention has stripped', () => {
  it('is named, repaired by the command that it names, and gone on from with the same bits', async () => {
    await cloneRun(servers.store, 'calm', 'deep');
    const { policies, executions, runs } = servers.store;
    await executions.deleteOne({ batchId: 'deep/stage-02/iter-002' });
    await runs.updateOne({ _id: 'deep' }, { $set: { status: 'running' } });
    const { weights, optimizer } = (await policies.findOne({ _id: 'deep/v000003' }))!.parts.shared!;
    await policies.updateOne({ _id: 'deep/v000003' }, { $set: { pruned: { weights: true, optimizer: true } } });
    const files = mongo.db(inject('stack').database).collection('weights.files');
    await files.deleteMany({ filename: { $in: [weights, optimizer!] } });
    await expect(resumeRun(servers.store, servers.client, 'deep')).rejects.toMatchObject({
      name: 'CheckpointMissing',
      message: expect.stringContaining('npx metaagentx repair deep@v3') as string,
    });
    const { code, data, log } = await metaagentx('repair', 'deep@v3');
    expect(code, log).toBe(0);
    expect(data.restored.sort()).toEqual([weights, optimizer].sort());
    expect((await policies.findOne({ _id: 'deep/v000003' }))!.pruned).toBeUndefined();
    const outcome = await resumeRun(servers.store, servers.client, 'deep');
    expect(outcome).toMatchObject({ how: 'restarted', from: { policyVersion: 3 } });
    await servers.client.workflow.getHandle('deep').result();
    expect((await audited('deep')).fingerprint).toEqual((await audited('calm')).fingerprint);
  });
});

describe('lineage', () => {
  it('a fork has the weights of its origin, other settings, and shows where it comes from', async () => {
    const { code, data } = await metaagentx(
      ...['fork', 'calm@v2', '--run-id', 'faster', '--detach'],
      ...['--set', 'stages.count=1', '--set', 'stages.iterationsPerStage=1', '--set', 'update.learningRate=2e-3'],
    );
    expect(code).toBe(0);
    expect(data.forkedFrom).toEqual({
      runId: 'calm',
      version: 2,
      set: ['stages.count=1', 'stages.iterationsPerStage=1', 'update.learningRate=2e-3'],
    });
    await servers.client.workflow.getHandle('faster').result();
    const [first, origin] = await Promise.all(
      ['faster/v000000', 'calm/v000002'].map((_id) => servers.store.policies.findOne({ _id })),
    );
    const { weights, optimizer, optimizerStep } = origin!.parts.shared!;
    expect(optimizerStep).toBeGreaterThan(0);
    expect(first!.parts.shared).toEqual({ changedIn: 0, weights, optimizer, optimizerStep });
    await audited('faster');
    const { stdout } = await runCommandLine(['inspect', 'faster'], process.env);
    expect(stdout).toMatch(/forked from +calm@v2 \(.*learningRate=2e-3\) ← base@v2/);
  });

  it('a changed recipe is checked, in force from then on, and on record with what it was', async () => {
    const refused = await metaagentx('resume', 'faster', '--detach', '--set', 'seed=3');
    expect(refused).toMatchObject({ code: 2, data: { error: { name: 'InvalidConfig' } } });
    const longer = ['--set', 'stages.count=2', '--set', 'update.learningRate=1e-4'];
    const { code, data, log } = await metaagentx('resume', 'faster', '--detach', ...longer);
    expect(code, log).toBe(0);
    expect(data.changes).toEqual([
      { path: 'stages.count', before: 1, after: 2 },
      { path: 'update.learningRate', before: 2e-3, after: 1e-4 },
    ]);
    await servers.client.workflow.getHandle('faster').result();
    const run = (await servers.store.runs.findOne({ _id: 'faster' }))!;
    expect(run.changes).toMatchObject([{ fromVersion: 1, fields: data.changes }]);
    expect(run.recipe.update.learningRate).toBe(1e-4);
    expect(await servers.store.iterations.countDocuments({ runId: 'faster' })).toBe(2);
    await audited('faster');
  });
});
