/**
 * `kill -9` of every worker, one after another, in the middle of an evaluation: all numbers are those of an evaluation
 * that nobody disturbed. Two runs with the same recipe, seed and weights must have equal evaluations.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationInput } from '../../workflows/evaluation.ts';
import { connectServers, copyRun, soonNoticed, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

const questions = 24;
const samples = 3;
let servers: TestServers;
const workers = new Map<string, WorkerProcess>();

const start = async (queue: string) => void workers.set(queue, await startWorkerProcess(queue));

beforeAll(async () => {
  servers = await connectServers();
  await Promise.all(['control', 'gpu', 'sandbox'].map(start));
});
afterAll(async () => {
  await Promise.all([...workers.values()].map((worker) => worker.stop()));
  await servers.close();
});

async function evaluate(runId: string) {
  const { queues, activities } = soonNoticed;
  const plan = { samples, questions, questionsPerBatch: 6, concurrentBatches: 2, everyIterations: 0 };
  const input: EvaluationInput = {
    runId,
    name: 'killed',
    policyVersion: 3,
    plan: { queues, activities, evaluation: plan },
  };
  return servers.client.workflow.start('evaluation', {
    workflowId: `${runId}/eval-killed`,
    taskQueue: queues.control,
    args: [input],
  });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 100_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited 100 s for a condition');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('kill -9 of workers during an evaluation', () => {
  it('changes no number', { timeout: 240_000 }, async () => {
    const { store } = servers;
    await trainTinyRun(servers, 'unhurt', ['questions.heldOut.count=24']);
    await copyRun(servers, 'unhurt', 'struck');
    await (await evaluate('unhurt')).result();

    const handle = await evaluate('struck');
    const batchId = 'struck/eval-killed';
    await until(async () => (await store.calls.countDocuments({ batchId })) > 0);
    await workers.get('gpu')!.kill();
    const atKill = await store.calls.find({ batchId }, { projection: { createdAt: 1 } }).toArray();
    expect(await store.evaluations.findOne({ _id: batchId })).toBeNull();
    await start('gpu');
    await until(async () => (await store.verdicts.countDocuments({ batchId })) > 0);
    await Promise.all(['control', 'sandbox', 'gpu'].map((queue) => workers.get(queue)!.kill()));
    expect(await store.evaluations.findOne({ _id: batchId })).toBeNull();
    await Promise.all(['control', 'sandbox', 'gpu'].map(start));
    await handle.result();

    const [calm, struck] = await Promise.all(
      ['unhurt/eval-killed', batchId].map((_id) => store.evaluations.findOne({ _id })),
    );
    const numbers = ({ metrics, intervals, perQuestion }: NonNullable<typeof calm>) => ({
      metrics,
      intervals,
      perQuestion,
    });
    expect(numbers(struck!)).toEqual(numbers(calm!));
    expect(calm!.metrics.callsPerAnswer).toBeGreaterThan(1);
    expect(await store.designs.countDocuments({ batchId })).toBe(questions * samples);
    // Calls that had finished at the first kill are the very same documents.
    for (const { _id, createdAt } of atKill) expect((await store.calls.findOne({ _id }))?.createdAt).toEqual(createdAt);
  });
});
