/**
 * Documents that no program wrote: one field of one document of each collection is changed behind the store's back.
 * Whoever needs it refuses it by name and changes nothing; the audit names it; lists go on; put right, the run goes on.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import type { Collection } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { resumeRun } from '../../cli/resume-run.ts';
import { auditRun } from '../../audit/audit-run.ts';
import { openDatabase } from '../../audit/database.ts';
import { metaagentx, runCommandLine } from '../helpers/command-line.ts';
import { storeRun } from '../helpers/stored-run.ts';
import { connectServers, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';

const runId = 'broken-documents';
const exported = mkdtempSync(join(tmpdir(), 'metaagentx-broken-'));
let servers: TestServers;
let mongo: MongoClient;
const raw = (collection: string): Collection<{ _id: string }> =>
  mongo.db(inject('stack').database).collection<{ _id: string }>(collection);

/** Does `work` while one field is something else; everything is as before afterwards. */
async function damaged(collection: string, id: string, field: string, value: unknown, work: () => Promise<void>) {
  const before = (await raw(collection).findOne({ _id: id }))!;
  expect(before).not.toBeNull();
  const change = value === undefined ? { $unset: { [field]: 1 } } : { $set: { [field]: value } };
  await raw(collection).updateOne({ _id: id }, change as never, { bypassDocumentValidation: true });
  const broken = await raw(collection).findOne({ _id: id });
  try {
    await work();
    expect(await raw(collection).findOne({ _id: id })).toEqual(broken);
  } finally {
    await raw(collection).replaceOne({ _id: id }, before, { bypassDocumentValidation: true });
  }
}

beforeAll(async () => {
  servers = await connectServers();
  mongo = await MongoClient.connect(inject('stack').mongoUri);
  await storeRun(servers.store, {
    runId,
    stages: [1],
    questions: 2,
    designs: 2,
    executions: 1,
    calls: 1,
    text: (what) => `a ${what}`,
  });
});
afterAll(async () => {
  rmSync(exported, { recursive: true });
  await mongo.close();
  await servers.close();
});

const iteration = `${runId}/stage-01/iter-001`;
const design = `${iteration}/q-000/d-1`;
const execution = `${design}/e-0`;
/** What is changed to what, which command meets it, and what it says. */
const damages: [collection: string, id: string, field: string, value: unknown, met: string[], said: RegExp][] = [
  [
    'runs',
    runId,
    'plan.stages.0.iterations',
    '1',
    ['inspect', runId],
    /run '.*' is broken: plan\.stages\.0\.iterations: .*expected number.*seen "1"/,
  ],
  [
    'runs',
    runId,
    'recipe.rollout.executionsPerDesign',
    0,
    ['inspect', runId],
    /recipe\.rollout\.executionsPerDesign: .*seen 0/,
  ],
  ['runs', runId, 'datasets', undefined, ['resume', runId], /datasets: .*expected object.*seen nothing/],
  [
    'stages',
    `${runId}/stage-01`,
    'learner',
    'nobody',
    ['inspect', runId],
    /stage '.*' is broken: learner: .*seen "nobody"/,
  ],
  [
    'iterations',
    iteration,
    'metrics.meanReward',
    'much',
    ['inspect', iteration],
    /iteration '.*metrics\.meanReward: .*seen "much"/,
  ],
  [
    'policies',
    `${runId}/v000001`,
    'parts.shared.weights',
    7,
    ['policy', 'show', `${runId}@v1`],
    /policy version '.*parts\.shared\.weights: .*seen 7/,
  ],
  [
    'evaluations',
    `${runId}/eval-stage-01`,
    'perQuestion',
    {},
    ['eval', 'show', `${runId}/eval-stage-01`],
    /evaluation '.*perQuestion: .*expected array/,
  ],
  ['designs', design, 'outcome', 'fine', ['inspect', design], /design '.*outcome: .*seen "fine"/],
  ['designs', design, 'tokenIds', 'abc', ['export', runId, '--to', exported], /design '.*tokenIds: .*seen "abc"/],
  ['executions', execution, 'usage.calls', -1, ['inspect', execution], /execution '.*usage\.calls: .*seen -1/],
  [
    'calls',
    `${execution}/c-0000`,
    'answer.text',
    null,
    ['inspect', `${execution}/c-0000`],
    /call '.*answer\.text: .*seen null/,
  ],
  [
    'verdicts',
    execution,
    'verdict.correct',
    'yes',
    ['inspect', execution],
    /verdict '.*verdict\.correct: .*seen "yes"/,
  ],
  ['credits', execution, 'advantage', 'high', ['inspect', execution], /credit '.*advantage: .*seen "high"/],
];

describe('one field that is not what it must be', () => {
  it.each(damages)('%s %s: %s = %j is refused by name', async (collection, id, field, value, met, said) => {
    await damaged(collection, id, field, value, async () => {
      const { code, data } = await metaagentx(...met);
      expect([code, data.error]).toMatchObject([
        1,
        { name: 'RecordBroken', message: expect.stringMatching(said) as string, data: { id } },
      ]);
      expect(data.error.message).toContain(`npx metaagentx audit ${runId}`);
      const audit = await metaagentx('audit', runId, '--no-histories');
      if (collection === 'runs') return expect(audit.data.error).toMatchObject({ name: 'RecordBroken' });
      expect(audit.data.findings).toContainEqual({
        check: 'documents',
        id: expect.stringMatching(`${id}$`) as string,
        problem: expect.stringMatching(/^is broken: /) as string,
      });
    });
  });

  it('the same run undamaged has no such finding', async () => {
    const { data } = await metaagentx('audit', runId, '--no-histories');
    expect(data.examined.documents).toBeGreaterThan(20);
    expect(data.findings.filter(({ check }: { check: string }) => check === 'documents')).toEqual([]);
  });

  it('lists of runs show the others and say which one cannot be read', async () => {
    await storeRun(servers.store, {
      ...{ stages: [1], questions: 1, designs: 1, executions: 1, calls: 1, text: (what: string) => `a ${what}` },
      runId: 'sound-documents',
    });
    await damaged('runs', runId, 'plan', {}, async () => {
      const { code, data, log } = await metaagentx('list');
      const ids = data.runs.map((run: { runId: string }) => run.runId);
      expect([code, ids]).toEqual([0, expect.arrayContaining(['sound-documents'])]);
      expect(ids).not.toContain(runId);
      const refusals = (data.refused as string[]).filter((refusal) => refusal.includes(`'${runId}'`));
      expect(refusals).toEqual([expect.stringMatching(/run 'broken-documents' is broken: plan\.seed/)]);
      expect(log).toContain("run 'broken-documents' is broken");
    });
  });

  it('a document of a newer program is named as such, also below a run of this one', async () => {
    await damaged('executions', execution, 'schemaVersion', 9, async () => {
      const { code, data } = await metaagentx('inspect', execution);
      expect([code, data.error]).toMatchObject([
        2,
        {
          name: 'InvalidInput',
          message: `execution '${execution}' was written by a newer program (schema 9, this program knows 1); update this clone`,
        },
      ]);
    });
  });
});

/** A given design, so that there are credits of the Executor whatever is sampled. */
const given = [
  'coldStart={"type":"none"}',
  'designs.script=return agent("solve");',
  'stages.scheme=executor-only',
  'stages.iterationsPerStage=2',
  'rollout.designsPerQuestion=1',
  'update.dropZeroAdvantage=false',
  'update.entropyCoef=0.01',
];

it('a worker that meets one ends the run by name; put right, the run goes on and lacks nothing', async () => {
  const crashes = mkdtempSync(join(tmpdir(), 'metaagentx-crashes-'));
  // Between the credits and the update that reads them, with nothing else under way.
  writeFileSync(join(crashes, 'credits-stored'), '');
  let worker = await startWorkerProcess('all', { METAAGENTX_CRASH_POINTS: crashes });
  const database = await openDatabase(inject('stack').mongoUri, inject('stack').database);
  try {
    const id = 'meets-broken';
    const handle = servers.client.workflow.getHandle(id);
    const trained = trainTinyRun(servers, id, given).catch(() => undefined);
    await worker.ended();
    await handle.terminate('by a test');
    await trained;
    worker = await startWorkerProcess('all');
    const credit = (await servers.store.credits.findOne({ runId: id, role: 'executor' }))!;
    await damaged('credits', credit._id, 'advantage', 'high', async () => {
      await resumeRun(servers.store, servers.client, id);
      await expect(handle.result()).rejects.toMatchObject({ name: 'WorkflowFailedError' });
      expect(await servers.store.runs.findOne({ _id: id })).toMatchObject({
        status: 'failed',
        failure: { name: 'RecordBroken', message: expect.stringContaining(credit._id) as string },
      });
    });
    expect((await resumeRun(servers.store, servers.client, id)).how).toBe('restarted');
    await handle.result();
    expect((await auditRun(database, id, { client: servers.client })).findings).toEqual([]);
    const { stdout } = await runCommandLine(['status', id], process.env);
    expect(stdout).toContain('finished');
  } finally {
    await worker.stop();
    await database.close();
    rmSync(crashes, { recursive: true });
  }
});
