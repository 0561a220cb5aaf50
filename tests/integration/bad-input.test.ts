/**
 * What may come in from outside and be wrong, in one table each: payloads of starts, signals and updates at the Temporal
 * server, and documents of another time in the store. Each is refused by name, and the run that it hits goes on.
 */
import { WorkflowFailedError } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import { dashboardApp } from '../../cli/dashboard/app.ts';
import { metaagentx } from '../helpers/command-line.ts';
import { storeRun } from '../helpers/stored-run.ts';
import { connectServers } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';

const queue = 'bad-input';
let servers: TestServers;
const closers: (() => Promise<void>)[] = [];
/** Lets the run's first activity end, now or whenever it begins. */
let release: () => void;
const released = new Promise<void>((resolve) => (release = resolve));

const plan = {
  seed: 1,
  queues: { control: queue, gpu: queue, sandbox: queue },
  activities: resolveTemporalConfig({}).activities,
  trainQuestions: 4,
  coldStartChunks: 0,
  stages: [],
  rollout: { questionsPerIteration: 1, designsPerQuestion: 1, executionsPerDesign: 1, concurrentQuestions: 1 },
  evaluation: { samples: 1, questions: 0, questionsPerBatch: 1, concurrentBatches: 1, everyIterations: 0 },
  iterationsPerHistory: 100,
};
const study = { studyId: 's', ...plan, bases: [], cells: [], concurrentRuns: 1 };
const search = {
  ...plan,
  searchId: 's',
  runId: 'r',
  finds: 'script',
  rounds: 1,
  questions: 1,
  answers: 1,
  questionsPerBatch: 1,
  concurrentBatches: 1,
};
const good = { runId: 'bad-input', dataset: 'd', plan, from: null };

beforeAll(async () => {
  servers = await connectServers();
  const native = await NativeConnection.connect({ address: inject('stack').temporalAddress });
  const activities = {
    recordRun: async () => undefined,
    initializePolicy: () => released.then(() => ({ policyVersion: 0 })),
    recordEvaluation: async () => ({ average: 0, metrics: {} }),
  };
  const worker = await Worker.create({
    connection: native,
    taskQueue: queue,
    activities,
    workflowBundle: await workflowBundle(inject('stateDir')),
  });
  const served = worker.run();
  closers.push(
    async () => (worker.shutdown(), served),
    () => native.close(),
    () => servers.close(),
  );
});
afterAll(async () => {
  for (const close of closers) await close();
});

describe('a start with a wrong payload fails at once, by name', () => {
  const cases: [workflow: string, args: unknown[], message: RegExp][] = [
    ['trainingRun', [], /expected an object, seen nothing/],
    ['trainingRun', ['toy-1'], /expected an object, seen "toy-1"/],
    ['trainingRun', [{ ...good, runId: '' }], /runId: expected a text, seen ""/],
    ['trainingRun', [{ ...good, plan: undefined }], /plan\.queues\.control: expected a text, seen nothing/],
    ['trainingRun', [{ ...good, plan: { ...plan, stages: 3 } }], /plan\.stages: expected a list, seen 3/],
    ['coEvolutionStage', [good], /stage: expected a number, seen nothing/],
    ['trainingIteration', [{ ...good, stage: '1' }], /stage: expected a number, seen "1"/],
    ['hierarchicalRollout', [{}], /runId: expected a text/],
    ['evaluation', [{ ...good, name: 7 }], /name: expected a text, seen 7/],
    ['solution', [null], /expected an object, seen null/],
    ['study', ['smoke'], /expected an object, seen "smoke"/],
    ['study', [{ ...study, bases: undefined }], /bases: expected a list, seen nothing/],
    ['study', [{ ...study, cells: [null] }], /study \(cells\[0\]\) .*expected an object, seen null/],
    ['study', [{ ...study, bases: ['b', 7] }], /study \(bases\[1\]\) .*runId: expected a text, seen 7/],
    [
      'study',
      [{ ...study, cells: [{ runId: 'r', variant: 'v', measurement: { name: 1 } }] }],
      /measurement\.name: expected a text, seen 1/,
    ],
    ['systemSearch', [{ ...search, rounds: '3' }], /rounds: expected a number, seen "3"/],
    ['systemSearch', [{ ...search, queues: {} }], /queues\.control: expected a text, seen nothing/],
    ['coldStartCollection', [{ runId: 'r' }], /questions: expected a number, seen nothing/],
  ];
  it.each(cases.map(([workflow, args, message], index) => ({ workflow, args, message, index })))(
    '$index $workflow: $message',
    async ({ workflow, args, message, index }) => {
      const workflowId = `bad-input-start-${index}`;
      const failed = await servers.client.workflow.execute(workflow, { workflowId, taskQueue: queue, args }).then(
        () => null,
        (error: unknown) => error,
      );
      expect(failed).toBeInstanceOf(WorkflowFailedError);
      expect((failed as WorkflowFailedError).cause).toMatchObject({
        type: 'InvalidInput',
        nonRetryable: true,
        message: expect.stringMatching(message) as string,
      });
    },
  );

  it('an unknown workflow is refused when it is asked for', async () => {
    const { events } = await (async () => {
      const handle = await servers.client.workflow.start('noSuchWorkflow', {
        workflowId: 'bad-input-unknown',
        taskQueue: queue,
        args: [],
      });
      await expect
        .poll(
          async () => (await handle.fetchHistory()).events?.some((event) => event.workflowTaskFailedEventAttributes),
          { timeout: 60_000 },
        )
        .toBe(true);
      const history = await handle.fetchHistory();
      await handle.terminate();
      return history;
    })();
    const failure = events!.find((event) => event.workflowTaskFailedEventAttributes)!.workflowTaskFailedEventAttributes;
    expect(failure?.failure?.message).toMatch(/noSuchWorkflow/);
  });
});

describe('a running run', () => {
  it('ignores signals that carry nonsense, refuses such updates, and ends well', async () => {
    const handle = await servers.client.workflow.start('trainingRun', {
      workflowId: 'bad-input-signals',
      taskQueue: queue,
      args: [{ ...good, runId: 'bad-input-signals' }],
    });
    for (const payload of [null, 'x', 7, {}, { stage: 'one' }, { stage: 9, iteration: 1, policyVersion: 1 }])
      await handle.signal('stageProgress', payload);
    for (const payload of [null, {}, { workflowId: 'w', about: 'a', choices: 'all' }])
      await handle.signal('decisionNeeded', payload);
    await handle.signal('noSuchSignal', { a: 1 });
    for (const payload of [null, {}, { choice: 'skip' }, 'skip'])
      await expect(handle.executeUpdate('decide', { args: [payload] })).rejects.toMatchObject({
        cause: { type: 'InvalidInput', message: 'this run waits for no decision' },
      });
    expect(await handle.query('progress')).toMatchObject({ phase: 'starting', policyVersion: null, question: null });
    release();
    expect(await handle.result()).toMatchObject({ policyVersion: 0, stopped: false });
  });
});

describe('documents of another time', () => {
  const commands: string[][] = [
    ['resume'],
    ['fork', '--run-id', 'bad-input-fork'],
    ['audit'],
    ['inspect'],
    ['decide', 'skip'],
    ['export', '--to', '/dev/null/none'],
  ];
  const insert = (id: string, schemaVersion: number) =>
    servers.store.runs.insertOne({
      _id: id,
      schemaVersion,
      createdAt: new Date(),
      status: 'running',
      recipe: {},
      plan: {},
    } as never);

  it.each(commands)('%s refuses a run of a newer program, and changes nothing', async (command, ...rest) => {
    const id = `bad-input-future-${command}`;
    await insert(id, 99);
    const stored = () => servers.store.runs.aggregate([{ $match: { _id: id } }]).toArray();
    const before = await stored();
    const { code, data } = await metaagentx(command, command === 'fork' ? `${id}@v0` : id, ...rest);
    expect([code, data.error]).toMatchObject([
      2,
      { name: 'InvalidInput', message: expect.stringMatching(/written by a newer program \(schema 99/) as string },
    ]);
    expect(await stored()).toEqual(before);
    await servers.store.runs.deleteOne({ _id: id });
  });
});

describe('what is looked for by name and is not there', () => {
  const runId = 'bad-input-there';
  const iteration = `${runId}/stage-01/iter-001`;
  beforeAll(() =>
    storeRun(servers.store, {
      ...{ runId, stages: [1], questions: 1, designs: 1, executions: 1, calls: 1 },
      text: (what) => what,
    }),
  );

  const commands: string[][] = [
    ...['status', 'inspect', 'report', 'audit', 'pause', 'unpause', 'stop', 'resume'].map((name) => [name, 'nobody']),
    ['decide', 'nobody', 'skip'],
    ['export', 'nobody', '--to', '/dev/null/none'],
    ['fork', 'nobody@v1', '--run-id', 'bad-input-fork'],
    ['repair', 'nobody@v1'],
    ['repair', `${runId}@v9`],
    ['eval', 'nobody'],
    ['eval', `${runId}@v9`],
    ['eval', 'list', 'nobody'],
    ['eval', 'show', `${runId}/eval-nothing`],
    ['eval', 'compare', `${runId}/eval-stage-01`, `${runId}/eval-nothing`],
    ['solve', 'nobody', 'What is 1 + 1?'],
    ['study', 'show', 'nothing'],
    ['coldstart', 'show', 'nothing'],
    ['coldstart', 'train', 'nothing', '--recipe', 'smoke'],
    ['policy', 'show', 'nobody'],
    ['policy', 'show', `${runId}@v9`],
    ['policy', 'export', 'nobody@v1', '/dev/null/none'],
    ...[
      `${runId}@v9`,
      `${runId}/stage-02`,
      `${runId}/stage-01/iter-009`,
      `${iteration}/q-9`,
      `${iteration}/q-0/d-9`,
      `${iteration}/q-0/d-0/e-9`,
      `${iteration}/q-0/d-0/e-0/c-9`,
      `${runId}/eval-nothing`,
    ].map((path) => ['inspect', path]),
  ];
  it.each(commands.map((argv) => [argv.join(' '), argv] as const))('%s', async (_line, argv) => {
    const { code, data } = await metaagentx(...argv);
    expect([code, data.error.name]).toEqual([
      3,
      expect.stringMatching(/^(RunNotFound|NotFound|CheckpointMissing)$/) as string,
    ]);
  });

  it('has no page', async () => {
    const app = dashboardApp({ store: servers.store, hosts: null, temporalUrl: () => null });
    const paths = ['', '/stage-02', '/v9', '/stage-01/iter-001/q-9', '/stage-01/iter-001/q-0/d-9'];
    const statuses = paths.map(async (path) => (await app.request(`/runs/${runId}${path}`)).status);
    expect(await Promise.all(statuses)).toEqual([200, 404, 404, 404, 404]);
  });
});

it('a deployment that is not there is named, also where its current version is to be none', async () => {
  const { code, data } = await metaagentx('deployment', 'current', 'none', '--name', 'nobody');
  expect(code).toBe(3);
  expect(data.error.message).toMatch(/no worker of the deployment 'nobody'/);
});
