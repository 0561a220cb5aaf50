/**
 * A loss that really overflows float32 in the real engine: the run waits with nothing committed and nothing lost, and each
 * decision of a person does what it says. At the rate of 1 a decay of 1000 makes of every matrix about -999 times itself in
 * the first of two steps, whatever was sampled; the KL estimate (k3) of the second holds exp(reference - new log-prob), which
 * is beyond float32 where they are 88 apart.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { auditRun } from '../../audit/audit-run.ts';
import { openDatabase } from '../../audit/database.ts';
import type { Database } from '../../audit/database.ts';
import { forkRun } from '../../cli/fork-run.ts';
import { queryProgress } from '../../cli/run-view.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import type { OpenQuestion } from '../../shared/domain/decision.ts';
import { policyId } from '../../shared/domain/ids.ts';
import { metaagentx } from '../helpers/command-line.ts';
import { connectServers, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

let servers: TestServers;
let database: Database;
let worker: WorkerProcess;

beforeAll(async () => {
  const { mongoUri, database: name } = inject('stack');
  servers = await connectServers();
  database = await openDatabase(mongoUri, name);
  worker = await startWorkerProcess('all');
  await trainTinyRun(servers, 'overflow-base', ['stages.count=0']);
});
afterAll(async () => {
  await worker.stop();
  await database.close();
  await servers.close();
});

const set = [
  ...['stages.scheme=executor-only', 'stages.count=1', 'stages.iterationsPerStage=2', 'evaluation.limit=0'],
  // Whatever the model says and earns, there is something to learn from.
  ...['designs.script=return agent("steps");', 'update.dropZeroAdvantage=false'],
  ...['update.learningRate=1', 'update.weightDecay=1000', 'update.epochs=2', 'update.klCoef=0.1'],
];
const start = (runId: string) =>
  forkRun(servers.store, servers.client, { from: 'overflow-base@v2', runId, set, config: resolveTemporalConfig({}) });
const result = (runId: string) => servers.client.workflow.getHandle(runId).result() as Promise<{ stopped: boolean }>;

/** The question of a run that waits, when it is about `about`. */
async function asked(runId: string, about: string): Promise<OpenQuestion> {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    const question = (await queryProgress(servers.client, runId))?.question;
    if (question?.about === about) return question;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${runId} did not ask about ${about}`);
}
const decide = async (runId: string, ...decision: string[]) => {
  const { code, log } = await metaagentx('decide', runId, ...decision);
  expect(code, log).toBe(0);
};
const weightsOf = async (runId: string, version: number) =>
  (await servers.store.policies.findOne({ _id: policyId(runId, version) }))?.parts.shared?.weights;
const versionsOf = (runId: string) => servers.store.policies.countDocuments({ runId });
async function audit(runId: string): Promise<void> {
  expect((await auditRun(database, runId, { client: servers.client })).findings).toEqual([]);
}

describe('an update whose loss overflows', () => {
  it('lower-rate: the same batch is learned from at the lower rate, and the next one too', async () => {
    const runId = 'overflow-lowered';
    const first = `${runId}/stage-01/iter-001`;
    await start(runId);
    const { failure, choices } = await asked(runId, first);
    expect(failure).toMatch(
      /^the (loss|gradient norm) of step 2 is (NaN|-?Infinity); sequences: 0\/stage-01\/iter-001\/q-/,
    );
    expect(choices).toEqual(['skip', 'lower-rate', 'stop']);
    expect(await versionsOf(runId)).toBe(1);
    expect(await servers.store.credits.countDocuments({ batchId: first })).toBeGreaterThan(0);
    const calls = await servers.store.calls.find({ batchId: first }).toArray();

    await decide(runId, 'lower-rate', '--factor', '0.0001');
    expect((await result(runId)).stopped).toBe(false);
    expect(await versionsOf(runId)).toBe(3);
    const weights = await Promise.all([0, 1, 2].map((version) => weightsOf(runId, version)));
    expect(new Set(weights).size).toBe(3);
    const run = await servers.store.runs.findOne({ _id: runId });
    expect(run?.decisions?.map(({ about, decision }) => [about, decision])).toEqual([
      [first, { choice: 'lower-rate', factor: 0.0001 }],
    ]);
    // Nothing was asked again for the second try.
    expect(await servers.store.calls.find({ batchId: first }).toArray()).toEqual(calls);
    await audit(runId);
  });

  it('skip: the version advances with the same weights; stop: the run ends before the next; resume at a lower rate ends it', async () => {
    const runId = 'overflow-skipped';
    await start(runId);
    await asked(runId, `${runId}/stage-01/iter-001`);
    await decide(runId, 'skip');
    await asked(runId, `${runId}/stage-01/iter-002`);
    expect(await weightsOf(runId, 1)).toBe(await weightsOf(runId, 0));
    await decide(runId, 'stop');
    expect((await result(runId)).stopped).toBe(true);
    expect(await versionsOf(runId)).toBe(2);
    expect(await servers.store.iterations.countDocuments({ runId })).toBe(1);
    expect((await servers.store.runs.findOne({ _id: runId }))?.status).toBe('stopped');

    const resumed = await metaagentx('resume', runId, '--set', 'update.learningRate=1e-4', '--detach');
    expect(resumed.code, resumed.log).toBe(0);
    expect((await result(runId)).stopped).toBe(false);
    expect(await weightsOf(runId, 2)).not.toBe(await weightsOf(runId, 1));
    await audit(runId);
  });
});

it('a cold start from weights that overflow asks as well, cannot be skipped, and can be stopped', async () => {
  const runId = 'overflow-start';
  const train = ['train', '--recipe', 'smoke', '--run-id', runId, '--detach', '--set', 'policy.init.initialStd=1e15'];
  expect((await metaagentx(...train)).code).toBe(0);
  const question = await asked(runId, 'chunk 1 of the cold start');
  expect(question.failure).toMatch(/^the (loss|gradient norm) of step 1 is (NaN|-?Infinity)/);
  const refused = await metaagentx('decide', runId, 'skip');
  expect([refused.code, refused.data.error.message]).toEqual([2, expect.stringMatching(/skip.*lower-rate|lower-rate/)]);
  // Once a decision is taken its question is closed: the next one is of the next try.
  await decide(runId, 'lower-rate');
  await asked(runId, 'chunk 1 of the cold start');
  await decide(runId, 'stop');
  expect((await result(runId)).stopped).toBe(true);
  expect(await versionsOf(runId)).toBe(1);
});
