/**
 * `kill -9` of the gpu worker in the middle of an iteration, on real servers, with real gradients. Afterwards nothing is
 * missing or doubled, and the weights are those of a run that nobody disturbed, bit for bit.
 */
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import type { RunDocument } from '../../activities/store/documents.ts';
import { loadDatasets } from '../../cli/datasets.ts';
import { loadRecipe } from '../../cli/recipes.ts';
import { startRun } from '../../cli/start-run.ts';
import { soonNoticed } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

let store: Store;
let connection: Connection;
let client: Client;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  const { mongoUri, database, temporalAddress, namespace } = inject('stack');
  store = await openStore({ uri: mongoUri, database });
  connection = await Connection.connect({ address: temporalAddress });
  client = new Client({ connection, namespace });
  workers.push(...(await Promise.all(['control', 'sandbox'].map((queue) => startWorkerProcess(queue)))));
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await connection.close();
  await store.close();
});

async function start(runId: string): Promise<void> {
  const recipe = await loadRecipe({ recipe: 'smoke' });
  const datasets = await loadDatasets(recipe);
  await startRun(store, client, { runId, recipe, datasets, config: soonNoticed });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited 120 s for a condition');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Id of the iteration that a run is in once it has asked its model for an answer there. */
async function inIteration(runId: string): Promise<string> {
  let batchId: string | undefined;
  await until(async () => {
    batchId = (await store.calls.findOne({ runId, batchId: { $regex: '/iter-' } }))?.batchId;
    return batchId !== undefined;
  });
  return batchId!;
}

/** Counts and joins of everything that a finished run must hold. */
async function audit(run: RunDocument): Promise<void> {
  const runId = run._id;
  const { questionsPerIteration, designsPerQuestion, executionsPerDesign } = run.plan.rollout;
  const iterations = await store.iterations.find({ runId }).toArray();
  expect(iterations).toHaveLength(run.plan.stages.reduce((sum, stage) => sum + stage.iterations, 0));
  for (const { _id: batchId } of iterations) {
    const [designs, executions, verdicts, credits, calls] = await Promise.all([
      store.designs.find({ batchId }).toArray(),
      store.executions.find({ batchId }).toArray(),
      store.verdicts.find({ batchId }).toArray(),
      store.credits.find({ batchId }).toArray(),
      store.calls.find({ batchId }).toArray(),
    ]);
    expect(designs).toHaveLength(questionsPerIteration * designsPerQuestion);
    const valid = designs.filter(({ outcome }) => outcome === 'valid').map(({ _id }) => _id);
    const wanted = valid.flatMap((id) => Array.from({ length: executionsPerDesign }, (_, e) => `${id}/e-${e}`)).sort();
    const ids = (documents: { _id: string }[]) => documents.map(({ _id }) => _id).sort();
    expect(ids(executions)).toEqual(wanted);
    expect(ids(verdicts)).toEqual(wanted);
    expect(ids(credits)).toEqual([...wanted, ...ids(designs)].sort());
    for (const { _id, usage } of executions) {
      expect(calls.filter(({ executionId, kind }) => executionId === _id && kind === 'model')).toHaveLength(
        usage.calls,
      );
    }
  }
  const versions = await store.policies.find({ runId }).sort({ version: 1 }).toArray();
  expect(versions.map(({ version }) => version)).toEqual(versions.map((_, index) => index));
  expect(versions.map(({ parent }) => parent)).toEqual(versions.map((_, index) => (index === 0 ? null : index - 1)));
}

const weightsOf = async (runId: string) =>
  (await store.policies.find({ runId }).sort({ version: 1 }).toArray()).map(({ parts }) => parts.shared!.weights);

describe('the gpu worker in mid-iteration', () => {
  it('killed: nothing is lost, doubled or changed', { timeout: 300_000 }, async () => {
    const gpu = await startWorkerProcess('gpu');
    await start('undisturbed');
    await client.workflow.getHandle('undisturbed').result();

    await start('gpu-killed');
    const iteration = await inIteration('gpu-killed');
    await gpu.kill();
    const atKill = await store.calls.find({ runId: 'gpu-killed' }, { projection: { _id: 1, createdAt: 1 } }).toArray();
    expect(await store.iterations.findOne({ _id: iteration })).toBeNull();
    const next = await startWorkerProcess('gpu');
    workers.push(next);
    await client.workflow.getHandle('gpu-killed').result();

    for (const runId of ['undisturbed', 'gpu-killed']) {
      const run = await store.runs.findOne({ _id: runId });
      expect(run?.status).toBe('finished');
      await audit(run!);
    }
    // Calls that had finished at the kill are the very same documents: none was asked again.
    for (const { _id, createdAt } of atKill) {
      expect((await store.calls.findOne({ _id }))?.createdAt).toEqual(createdAt);
    }
    expect(await weightsOf('gpu-killed')).toEqual(await weightsOf('undisturbed'));
  });

  it('its engine thread dead: the process says so and ends, another goes on', { timeout: 300_000 }, async () => {
    const gpu = workers.pop()!;
    await start('thread-dead');
    const iteration = await inIteration('thread-dead');
    gpu.crashEngine();
    const { code, errors } = await gpu.ended();
    expect(code).toBe(1);
    expect(errors).toContain(
      "EngineDied: the engine's thread failed: Error: crashed by a test. Start the worker again",
    );
    expect(await store.iterations.findOne({ _id: iteration })).toBeNull();
    workers.push(await startWorkerProcess('gpu'));
    await client.workflow.getHandle('thread-dead').result();
    await audit((await store.runs.findOne({ _id: 'thread-dead' }))!);
    expect(await weightsOf('thread-dead')).toEqual(await weightsOf('undisturbed'));
  });
});
