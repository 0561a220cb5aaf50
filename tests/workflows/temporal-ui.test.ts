/**
 * What a reader of the Temporal UI sees at each level of a run: summaries, details, search attributes, descriptions of
 * messages. On a real server; the activities are constants.
 */
import { readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import type { RunPlan } from '../../shared/domain/plan.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import { visible } from '../../workflows/search-attributes.ts';

const queue = 'temporal-ui';
const rewards = [0.41, 0.47];
const activities = {
  recordRun: async () => undefined,
  recordStage: async () => undefined,
  recordIteration: async () => undefined,
  recordEvaluation: async () => ({ average: 0.25, metrics: { average: 0.25 } }),
  assignCredit: async ({ batchId }: { batchId: string }) => ({ meanReward: rewards[Number(batchId.slice(-1)) - 1] }),
  initializePolicy: async () => ({ policyVersion: 0 }),
  rollOut: async () => ({ valid: [{ design: 1, replied: 2, calls: 3 }], invalid: 1 }),
  evaluateBatch: async () => ({ calls: 1, validDesigns: 1 }),
  verifyBatch: async () => ({ meanReward: 0.5, correct: 1, executions: 2 }),
  updatePolicy: async ({ baseVersion }: { baseVersion: number }) => ({ policyVersion: baseVersion + 1, metrics: {} }),
};
const plan: RunPlan = {
  seed: 1,
  queues: { control: queue, gpu: queue, sandbox: queue },
  activities: resolveTemporalConfig({}).activities,
  trainQuestions: 4,
  coldStartChunks: 0,
  stages: [{ stage: 1, learner: 'executor', iterations: 2 }],
  rollout: { questionsPerIteration: 1, designsPerQuestion: 2, executionsPerDesign: 2, concurrentQuestions: 1 },
  evaluation: { samples: 3, questions: 2, questionsPerBatch: 2, concurrentBatches: 1, everyIterations: 0 },
  iterationsPerHistory: 100,
  dashboardUrl: 'http://127.0.0.1:8280',
};

let client: Client;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const address = inject('stack').temporalAddress;
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  client = new Client({ connection });
  const bundle = await workflowBundle(inject('stateDir'));
  const worker = await Worker.create({ connection: native, taskQueue: queue, activities, workflowBundle: bundle });
  const served = worker.run();
  closers.push(
    async () => (worker.shutdown(), served),
    () => connection.close(),
    () => native.close(),
  );
  await client.workflow.execute('trainingRun', {
    workflowId: 'viewed',
    taskQueue: queue,
    args: [{ runId: 'viewed', dataset: 'd', plan, from: null }],
    typedSearchAttributes: visible({ runId: 'viewed', dataset: 'toy' }),
  });
});
afterAll(async () => {
  for (const close of closers) await close();
});

interface Metadata {
  currentDetails: string;
  definition: { signalDefinitions: { name: string; description?: string }[] };
}
const metadataOf = (id: string) => client.workflow.getHandle(id).query<Metadata>('__temporal_workflow_metadata');
const attributesOf = async (id: string) =>
  Object.fromEntries(
    (await client.workflow.getHandle(id).describe()).typedSearchAttributes
      .getAll()
      .map(({ key, value }) => [key.name, value]),
  );
/** Summaries of a workflow's events, in order. */
const summariesOf = async (id: string) =>
  ((await client.workflow.getHandle(id).fetchHistory()).events ?? [])
    .map(({ userMetadata }) => userMetadata?.summary)
    .filter((summary) => summary != null)
    .map((summary) => defaultPayloadConverter.fromPayload<string>(summary));
/** Rows of the details' tables, their cells trimmed. */
const rowsOf = (details: string) =>
  details
    .split('\n')
    .filter((line) => line.startsWith('|') && !line.startsWith('| ---'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );

describe('the Temporal UI', () => {
  it('shows the plan with progress, results and a way deeper at the run', async () => {
    const { currentDetails, definition } = await metadataOf('viewed');
    expect(currentDetails).toMatch(/^\*\*finished · stage 1 of 1 \(executor\) · 2 of 2 iterations\*\* · v000002\n/);
    expect(rowsOf(currentDetails)).toEqual([
      ['stage', 'learns', 'progress', 'mean reward'],
      ['1', 'executor', '██████████ 2/2', '0.410 → 0.470'],
      ['held-out evaluation', 'avg@3'],
      ['cold-start', '25.0 %'],
      ['stage-01', '25.0 %'],
    ]);
    expect(currentDetails).toContain('[dashboard](http://127.0.0.1:8280/runs/viewed)');
    expect(currentDetails).toContain('`npx metaagentx inspect viewed`');
    const described = definition.signalDefinitions
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, description }) => [name, (description ?? '').length > 0]);
    expect(described).toEqual(
      ['decisionNeeded', 'pause', 'stageProgress', 'stop', 'unpause'].map((name) => [name, true]),
    );
    expect(await attributesOf('viewed')).toMatchObject({
      TrainingRun: 'viewed',
      Dataset: 'toy',
      MeanReward: 0.47,
      PolicyVersion: 2,
    });
  });

  it('says of each event of a run what it is about', async () => {
    expect(await summariesOf('viewed')).toEqual([
      'the run is running',
      'initial policy',
      'avg@3 of v000000 after cold-start',
      'stage 1 begins',
      'stage 1/1 · the executor learns for 2 iterations',
      'stage 1 ends with v000002',
      'avg@3 of v000002 after stage-01',
      'the run is finished',
    ]);
  });

  it('shows the last iterations at the stage', async () => {
    const id = 'viewed/stage-01-executor';
    expect(rowsOf((await metadataOf(id)).currentDetails)).toEqual([
      ['iteration', 'mean reward', 'policy'],
      ['1', '0.410', 'v000001'],
      ['2', '0.470', 'v000002'],
    ]);
    expect(await attributesOf(id)).toMatchObject({ Stage: 1, Role: 'executor', Iteration: 2, MeanReward: 0.47 });
    expect((await summariesOf(id)).slice(1)).toEqual([
      'iteration 1/2 · executor · from v000000',
      'iteration 2/2 · executor · from v000001 · reward before 0.41',
    ]);
  });

  it('shows what an iteration changed and its worst questions', async () => {
    const id = 'viewed/stage-01/iter-002';
    const { currentDetails } = await metadataOf(id);
    expect(currentDetails).toContain('**iteration 2 · executor · v000001→v000002 · reward 0.41→0.47**');
    expect(rowsOf(currentDetails).slice(0, 2)).toEqual([
      ['worst questions', 'mean reward', 'valid designs', 'correct'],
      ['viewed/stage-01/iter-002/q-000', '0.500', '1/2', '1/2'],
    ]);
    expect((await summariesOf(id)).at(-1)).toBe('iteration 2 · executor · v000001→v000002 · reward 0.41→0.47');
    const groups = (await client.workflow.getHandle(id).fetchHistory()).events!.flatMap(({ eventGroupMarkers }) =>
      (eventGroupMarkers ?? []).map(({ label }) => defaultPayloadConverter.fromPayload<string>(label!.label!)),
    );
    expect(groups.slice(0, 2)).toEqual(['rollouts', 'credit and update']);
  });

  it('shows designs and reward of a question, and finds it by reward', async () => {
    const id = 'viewed/stage-01/iter-001/q-000';
    const { currentDetails } = await metadataOf(id);
    expect(rowsOf(currentDetails)[1]!.slice(1)).toEqual(['1/2', '2', '1', '0.500', '3']);
    expect(currentDetails).toContain(`[dashboard](http://127.0.0.1:8280/runs/${id})`);
    expect(await attributesOf(id)).toMatchObject({ Stage: 1, Iteration: 1, MeanReward: 0.5, Role: 'executor' });
    const query = "TrainingRun = 'viewed' AND WorkflowType = 'hierarchicalRollout' AND MeanReward < 0.6";
    const found = async () => {
      const ids = [];
      for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
      return ids.sort();
    };
    // The server's index follows its histories after a while.
    await expect.poll(found).toEqual([id, 'viewed/stage-01/iter-002/q-000']);
  });

  it('answers the queries of the documents with what they promise', async () => {
    const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const rows = rowsOf(page.slice(page.indexOf('| to see '), page.indexOf('## Scale out')));
    const queries = Object.fromEntries(rows.slice(1).map(([what, query]) => [what!, query!.replaceAll('`', '')]));
    // Other test files run workflows on the same server: only those of this file are asked for.
    const found = async (query: string) => {
      const ids = [];
      const ours = `${query.replaceAll('my-run', 'viewed')} AND TrainingRun = 'viewed'`;
      for await (const { workflowId } of client.workflow.list({ query: ours })) ids.push(workflowId);
      return ids.sort();
    };
    const iterations = ['viewed/stage-01/iter-001', 'viewed/stage-01/iter-002'];
    const questions = iterations.map((id) => `${id}/q-000`);
    const stage = 'viewed/stage-01-executor';
    const evaluations = ['viewed/eval-cold-start', 'viewed/eval-stage-01'];
    const levels = ['viewed', ...evaluations, stage, ...iterations, ...questions].sort();
    const answers = async () =>
      Object.fromEntries(
        await Promise.all(Object.entries(queries).map(async ([what, query]) => [what, await found(query)] as const)),
      );
    await expect.poll(answers).toEqual({
      "a run's levels": levels,
      'all runs': ['viewed'],
      "its designer's iterations": [],
      'questions that went badly': [],
      'the questions of one iteration': [questions[1]],
      'what failed': [],
      'what is at work': [],
    });
    // The same with values that this run has.
    for (const [what, from, to, ids] of [
      ["its designer's iterations", 'designer', 'executor', iterations],
      ['questions that went badly', '0.2', '0.6', questions],
      ['what failed', 'Failed', 'Completed', levels],
      ['what is at work', 'Running', 'Completed', questions],
    ] as const) {
      await expect.poll(() => found(queries[what]!.replace(from, to))).toEqual(ids);
    }
  });
});
