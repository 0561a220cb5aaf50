/**
 * Workers of a new version take over while a run goes on: the stage that runs ends on the version on which it began, the
 * next stage begins on the new one, and the old workers are stopped before the end. In a namespace of its own, with real
 * worker processes; gpu and sandbox workers carry no version.
 */
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import { ensureSearchAttributes } from '../../cli/stack/temporal-server.ts';
import { metaagentx } from '../helpers/command-line.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

const namespace = 'rolling-upgrade';
const runId = 'rolling-upgrade';
const workers: WorkerProcess[] = [];
let connection: Connection;
let client: Client;
let store: Store;

beforeAll(async () => {
  const { temporalAddress, mongoUri, database } = inject('stack');
  connection = await Connection.connect({ address: temporalAddress });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await vi.waitFor(() => ensureSearchAttributes({ address: temporalAddress }, namespace, () => undefined), {
    timeout: 120_000,
  });
  client = new Client({ connection, namespace });
  store = await openStore({ uri: mongoUri, database });
  vi.stubEnv('TEMPORAL_NAMESPACE', namespace);
  workers.push(await startWorkerProcess('gpu'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all(workers.map((worker) => worker.stop()));
  await store.close();
  await connection.close();
});

const start = async (buildId: string) => {
  const worker = await startWorkerProcess('control', { METAAGENTX_BUILD_ID: buildId });
  workers.push(worker);
  return worker;
};
/** Build ids that completed workflow tasks of a workflow, in order, each once. */
async function buildsOf(workflowId: string): Promise<string[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const builds = (events ?? []).flatMap(
    ({ workflowTaskCompletedEventAttributes: task }) =>
      task?.deploymentVersion?.buildId ?? task?.workerVersion?.buildId ?? [],
  );
  return [...new Set(builds)];
}
const until = (condition: () => Promise<void>) => vi.waitFor(condition, { timeout: 120_000, interval: 50 });
const make = async (build: string) => {
  await until(async () => expect((await metaagentx('deployment', 'current', build)).code).toBe(0));
};

it('a run moves to new workers between two stages, and nothing is lost', async () => {
  expect((await metaagentx('deployment', 'show')).data.error.message).toMatch(
    /no worker of the deployment 'metaagentx'/,
  );
  const first = await start('v1');
  await make('v1');
  expect((await metaagentx('deployment', 'current', 'v9')).data.error.message).toMatch(/no version 'v9': it has v1/);

  const set = ['stages.count=2', 'stages.iterationsPerStage=2', 'evaluation.limit=0'].flatMap((s) => ['--set', s]);
  const started = await metaagentx('train', '--recipe', 'smoke', '--run-id', runId, '--detach', ...set);
  expect(started.code, started.log).toBe(0);
  // Nobody judges yet, so the stage stands open while the new workers come up, however fast the machine is.
  const stage = `${runId}/stage-01-executor`;
  await until(async () => {
    expect(await store.designs.findOne({ runId })).not.toBeNull();
    expect(await buildsOf(stage)).toEqual(['v1']);
  });

  await start('v2');
  await until(async () => {
    const { data } = await metaagentx('deployment', 'ramp', 'v2', '25');
    expect(data.versions).toContainEqual({ buildId: 'v2', status: 'ramping', percent: 25 });
  });
  await make('v2');
  const shown = await metaagentx('deployment', 'show');
  expect(shown.data).toMatchObject({ name: 'metaagentx', current: 'v2' });

  workers.push(await startWorkerProcess('sandbox'));
  // The stage that was running ends on v1, though v2 is current.
  await client.workflow.getHandle(stage).result();
  expect(await buildsOf(stage)).toEqual(['v1']);
  expect(await buildsOf(`${runId}/stage-01/iter-002`)).toEqual(['v1']);
  await first.stop();

  expect(await client.workflow.getHandle(runId).result()).toMatchObject({ stopped: false });
  expect(await buildsOf(runId)).toEqual(['v1', 'v2']);
  expect(await buildsOf(`${runId}/stage-02-designer`)).toEqual(['v2']);
  expect(await buildsOf(`${runId}/stage-02/iter-001`)).toEqual(['v2']);
  expect((await store.runs.findOne({ _id: runId }))?.status).toBe('finished');
  const audited = await metaagentx('audit', runId);
  expect(audited.code, audited.log).toBe(0);
});
