/**
 * SIGTERM to workers in the middle of their work, as processes: they take nothing new, what cannot end within the grace
 * period is given back at once, they end with exit code 0, others go on, and the run ends as one that nobody disturbed.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { auditRun } from '../../audit/audit-run.ts';
import { openDatabase } from '../../audit/database.ts';
import type { Database } from '../../audit/database.ts';
import { loadDatasets } from '../../cli/datasets.ts';
import { loadRecipe } from '../../cli/recipes.ts';
import { startRun } from '../../cli/start-run.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { rolloutId } from '../../shared/domain/ids.ts';
import { programsBelow } from '../helpers/programs.ts';
import { connectServers } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

const config = resolveTemporalConfig({});
/** The SDK's words for an activity that a stopping worker gives back. */
const shutDown = 'Worker is shutting down and this activity did not complete in time';
let servers: TestServers;
let database: Database;
const workers: WorkerProcess[] = [];
const folder = mkdtempSync(join(tmpdir(), 'metaagentx-drain-'));

beforeAll(async () => {
  const { mongoUri, database: name } = inject('stack');
  servers = await connectServers();
  database = await openDatabase(mongoUri, name);
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await database.close();
  await servers.close();
  rmSync(folder, { recursive: true });
});

const queues = ['control', 'gpu', 'sandbox'] as const;
type Queue = (typeof queues)[number];
async function start(queue: Queue): Promise<WorkerProcess> {
  const worker = await startWorkerProcess(queue);
  workers.push(worker);
  return worker;
}
/** Resolves with the exit code and how long it took. */
async function drained(worker: WorkerProcess): Promise<{ code: number | null; ms: number }> {
  const askedMs = performance.now();
  process.kill(worker.pid, 'SIGTERM');
  const { code } = await worker.ended();
  return { code, ms: performance.now() - askedMs };
}

async function train(runId: string, set: readonly string[]) {
  const recipe = await loadRecipe({ recipe: 'smoke', set: [...set] });
  const datasets = await loadDatasets(recipe);
  await startRun(servers.store, servers.client, { runId, recipe, datasets, config });
  return servers.client.workflow.getHandle(runId);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited 120 s for a condition');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function fingerprint(runId: string) {
  const report = await auditRun(database, runId, { client: servers.client });
  expect(report.findings).toEqual([]);
  return report.fingerprint;
}

type Pending = temporal.api.workflow.v1.IPendingActivityInfo;

/** Activities under way for the iteration's two questions. */
async function pending(batchId: string): Promise<Pending[]> {
  const rollouts = [0, 1].map((slot) => servers.client.workflow.getHandle(rolloutId(batchId, slot)).describe());
  return (await Promise.all(rollouts)).flatMap(({ raw }) => raw.pendingActivities ?? []);
}

const states = temporal.api.enums.v1.PendingActivityState;

/** Why those that wait for a worker after an attempt do so. */
async function givenBack(batchId: string): Promise<string[]> {
  const found = await pending(batchId);
  expect(found.map(({ state }) => state)).toEqual(found.map(() => states.PENDING_ACTIVITY_STATE_SCHEDULED));
  return found.filter(({ attempt }) => attempt! > 1).map(({ lastFailure }) => lastFailure?.message ?? '');
}

const oneIteration = [
  'coldStart={"type":"none"}',
  'stages.scheme=executor-only',
  'stages.count=1',
  'stages.iterationsPerStage=1',
  'evaluation.limit=0',
  'rollout.designsPerQuestion=1',
];

it('all three workers in mid-rollout: calls that had ended are kept, the others are done elsewhere', async () => {
  // The tool's calls take far longer than the grace period of 5 s; both programs run at once.
  const set = [
    ...oneIteration,
    'designs.tools=["python"]',
    'designs.script=await agent("first"); await tools.python("import time; time.sleep(12); print(1)"); return agent("solve");',
    'rollout.executionsPerDesign=1',
    'update.dropZeroAdvantage=false',
    'update.entropyCoef=0.01',
  ];
  const first = await Promise.all(queues.map(start));
  await (await train('drain-calm', set)).result();

  const handle = await train('drain-hurt', set);
  const inIteration = { batchId: 'drain-hurt/stage-01/iter-001' };
  await until(() => programsBelow(first[1]!.pid).length === 2);
  const before = await servers.store.calls.find(inIteration).toArray();
  const ends = await Promise.all(first.map(drained));
  console.info(`drained in ${ends.map(({ ms }) => `${(ms / 1000).toFixed(1)} s`).join(', ')} (control, gpu, sandbox)`);
  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
  for (const { ms } of ends) expect(ms).toBeLessThan(config.workers.shutdownGraceMs + 5_000);
  // Both questions' executions, at once: nobody waits for a heartbeat timeout.
  expect(await givenBack(inIteration.batchId)).toEqual([shutDown, shutDown]);

  await Promise.all(queues.map(start));
  expect(await handle.result()).toMatchObject({ stopped: false });
  for (const { _id, createdAt } of before) {
    expect((await servers.store.calls.findOne({ _id }))?.createdAt).toEqual(createdAt);
  }
  expect(await fingerprint('drain-hurt')).toEqual(await fingerprint('drain-calm'));
});

it('a sandbox worker that judges a program: another judges it, with the same verdict', async () => {
  const questions = join(folder, 'slow.jsonl');
  const lines = ['a', 'b'].map((id) =>
    JSON.stringify({ id, prompt: 'Echo.', tests: [{ input: id, output: id }], time_limit_ms: 5000 }),
  );
  writeFileSync(questions, `${lines.join('\n')}\n`);
  const program = 'import time\\ntime.sleep(9)\\nprint(input())';
  const set = [
    ...oneIteration,
    'designs.authoredAnswers=true',
    `designs.script=return "\`\`\`python\\n${program}\\n\`\`\`";`,
    'rollout.executionsPerDesign=1',
    `questions.train={"type":"file","path":${JSON.stringify(questions)}}`,
  ];
  await Promise.all(workers.map((worker) => worker.stop()));
  const [, , sandbox] = await Promise.all(queues.map(start));
  const handle = await train('drain-judge', set);
  const inIteration = { batchId: 'drain-judge/stage-01/iter-001' };
  const isJudging = ({ state, activityType }: Pending) =>
    activityType?.name === 'verifyBatch' && state === states.PENDING_ACTIVITY_STATE_STARTED;
  await until(async () => (await servers.store.executions.countDocuments(inIteration)) === 2);
  await until(async () => (await pending(inIteration.batchId)).filter(isJudging).length === 2);
  expect(await servers.store.verdicts.countDocuments(inIteration)).toBe(0);
  expect((await drained(sandbox!)).code).toBe(0);
  expect(await givenBack(inIteration.batchId)).toEqual([shutDown, shutDown]);
  await start('sandbox');
  expect(await handle.result()).toMatchObject({ stopped: false });
  const verdicts = await servers.store.verdicts.find(inIteration).toArray();
  expect(verdicts.map(({ verdict }) => verdict?.correct)).toEqual([true, true]);
});
