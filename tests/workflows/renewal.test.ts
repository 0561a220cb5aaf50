/**
 * Histories stay short: each kind of workflow whose work can grow continues as new when the server says that its history
 * is long, and what happens is what happens without. On a server that says so after a few dozen events, and, for what an
 * event costs, on one as it comes; the far side of activities is replaced by counters.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ensureStack } from '../../cli/stack/stack.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import type { CollectionPlan } from '../../shared/domain/collection-plan.ts';
import type { RunPlan, StagePlan } from '../../shared/domain/plan.ts';
import type { SearchPlan } from '../../shared/domain/search-plan.ts';
import type { StudyCellPlan, StudyPlan } from '../../shared/domain/study-plan.ts';
import type { Batch, RecordIterationInput, Slot } from '../../shared/domain/tasks.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import { localEnvironment } from '../helpers/servers.ts';

const queue = 'renewal';
/** Events after which the small server suggests to continue as new. */
const suggestedAfter = 40;

/** What the counters saw, by workflow id. */
const seen = new Map<string, unknown[]>();
const note = (id: string, what: unknown) => {
  seen.set(id, [...(seen.get(id) ?? []), what]);
};
const evaluated = ({ batchId, slots }: Batch & { slots: Slot[] }) => slots.forEach(({ slot }) => note(batchId, slot));

const activities = {
  recordRun: async ({ runId, status }: { runId: string; status: string }) => note(runId, status),
  recordStage: async () => undefined,
  recordIteration: async (input: RecordIterationInput) => note(`${input.batchId}#record`, input),
  recordEvaluation: async ({ batchId }: Batch) => {
    note(`${batchId}#record`, 'recorded');
    return { average: 0.25, metrics: {} };
  },
  assignCredit: async () => ({ meanReward: 0.5, informative: { designer: 1, executor: 1 } }),
  initializePolicy: async () => ({ policyVersion: 0 }),
  rollOut: async ({ batchId, slot }: Batch & Slot) => {
    note(batchId, slot);
    return { valid: [0, 2].map((design) => ({ design, replied: 2, calls: 3 })), invalid: 1 };
  },
  evaluateBatch: async (input: Batch & { slots: Slot[] }) => {
    evaluated(input);
    return { calls: 1, validDesigns: 1 };
  },
  verifyBatch: async () => ({ meanReward: 0.5, correct: 1, executions: 4 }),
  updatePolicy: async ({ baseVersion }: { baseVersion: number }) => ({ policyVersion: baseVersion + 1, metrics: {} }),
  readStudyRun: async ({ runId }: { runId: string }) => {
    if (runId.endsWith('-3')) throw ApplicationFailure.nonRetryable('no such run', 'RunNotFound');
    return { ended: true };
  },
  recordStudy: async ({ studyId, failures }: { studyId: string; failures: unknown }) => note(studyId, failures),
  proposeCandidate: async ({ searchId, round }: { searchId: string; round: number }) => {
    note(searchId, round);
    return { isNew: true };
  },
  scoreCandidate: async ({ round }: { round: number }) => ({ calls: (round + 1) * 10 }),
  concludeSearch: async ({ rounds }: { rounds: number }) => ({ system: `after ${rounds}` }),
  collectionCost: async () => ({ calls: 0, tokens: 0 }),
  recordSet: async ({ runId, asked }: { runId: string; asked: number }) => note(`${runId}#set`, asked),
};

interface Server {
  client: Client;
  close(): Promise<void>;
}
async function serve(address: string): Promise<Server> {
  const [connection, native] = [await Connection.connect({ address }), await NativeConnection.connect({ address })];
  const worker = await Worker.create({
    connection: native,
    taskQueue: queue,
    activities,
    workflowBundle: await workflowBundle(inject('stateDir')),
  });
  const served = worker.run();
  const close = async () => {
    worker.shutdown();
    await served;
    await native.close();
    await connection.close();
  };
  return { client: new Client({ connection }), close };
}

const queues = { control: queue, gpu: queue, sandbox: queue };
const policies = resolveTemporalConfig({}).activities;
const planOf = (questions: number, evaluationQuestions: number, stages: StagePlan[] = []): RunPlan => ({
  seed: 1,
  queues,
  activities: policies,
  trainQuestions: 1_000,
  coldStartChunks: 0,
  stages,
  rollout: { questionsPerIteration: questions, designsPerQuestion: 3, executionsPerDesign: 2, concurrentQuestions: 4 },
  evaluation: {
    samples: 1,
    questions: evaluationQuestions,
    questionsPerBatch: 2,
    concurrentBatches: 4,
    everyIterations: 0,
  },
  iterationsPerHistory: 200,
});
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
const inOrder = (numbers: unknown[] = []) => (numbers as number[]).toSorted((a, b) => a - b);

interface Execution {
  events: number;
  bytes: number;
  startedAtMs: number;
}
/** All executions of a workflow, first one first. */
async function executionsOf({ client }: Server, workflowId: string): Promise<Execution[]> {
  const all: Execution[] = [];
  let runId: string | undefined = undefined;
  do {
    const described: Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']>> =
      await client.workflow.getHandle(workflowId, runId).describe();
    const { events } = await client.workflow.getHandle(workflowId, described.runId).fetchHistory();
    all.unshift({
      events: described.historyLength,
      bytes: Number(described.raw.workflowExecutionInfo?.historySizeBytes ?? 0),
      startedAtMs: described.startTime.getTime(),
    });
    runId = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
  } while (runId !== undefined);
  return all;
}
const start = ({ client }: Server, workflow: string, workflowId: string, ...args: unknown[]) =>
  client.workflow.execute<(...args: unknown[]) => Promise<unknown>>(workflow, { workflowId, taskQueue: queue, args });

const iterationOf = (runId: string, questions: number) => ({
  runId,
  stage: 1,
  iteration: 1,
  learner: 'executor',
  policyVersion: 0,
  cursor: 0,
  last: true,
  previousReward: null,
  plan: planOf(questions, 0),
});
const searchOf = (searchId: string, rounds: number, calls: number | null): SearchPlan => ({
  searchId,
  runId: 'r',
  finds: 'script',
  policyVersion: 0,
  seed: 1,
  trainQuestions: 10,
  questions: 2,
  answers: 1,
  rounds,
  calls,
  questionsPerBatch: 2,
  concurrentBatches: 1,
  queues,
  activities: policies,
});
const collectionOf = (runId: string, questions: number): CollectionPlan => ({
  runId,
  questions,
  designs: 1,
  calls: null,
  tokens: null,
  questionsPerBatch: 2,
  queues,
  activities: policies,
});
const studyOf = (studyId: string, count: number): StudyPlan => ({
  studyId,
  queues,
  activities: policies,
  bases: upTo(5).map((index) => `${studyId}-base-${index}`),
  cells: upTo(count).map((index): StudyCellPlan => {
    const runId = `${studyId}-cell-${index}`;
    return { variant: `v${index}`, seed: 0, system: 'metaagentx', runId, measurement: null };
  }),
  concurrentRuns: 2,
});

describe('on a server with small limits', () => {
  let server: Server;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'metaagentx-renewal-'));
    const limit = ['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${suggestedAfter}`];
    const { mongoUri, database } = inject('stack');
    const stack = await ensureStack({
      stateDir,
      log: () => undefined,
      ports: { temporal: 0, ui: 0, mongo: 0 },
      env: { ...localEnvironment(), MONGODB_URI: mongoUri, METAAGENTX_DATABASE: database },
      temporalArgs: limit,
    });
    server = await serve(stack.addresses.temporalAddress);
    stop = async () => {
      await stack.stop();
      rmSync(stateDir, { recursive: true, force: true });
    };
  });
  afterAll(async () => {
    await server.close();
    await stop();
  });

  /** Several executions, none much longer than the limit: what was open is waited for. */
  async function expectRenewed(workflowId: string, least: number): Promise<Execution[]> {
    const executions = await executionsOf(server, workflowId);
    expect(executions.length).toBeGreaterThanOrEqual(least);
    for (const { events } of executions) expect(events).toBeLessThan(3 * suggestedAfter);
    return executions;
  }

  it('an iteration rolls each question out once, and records them together', async () => {
    const id = 'few/stage-01/iter-001';
    const result = await start(server, 'trainingIteration', id, iterationOf('few', 40));
    expect(result).toMatchObject({ policyVersion: 1, meanReward: 0.5 });
    expect(inOrder(seen.get(id))).toEqual(upTo(40));
    const [record, ...more] = seen.get(`${id}#record`) as RecordIterationInput[];
    expect(more).toEqual([]);
    expect(record!.questionIndices).toHaveLength(40);
    // 40 questions of 3 designs, 2 of them valid, 4 executions of which 1 is right, 2 x 3 calls.
    expect(record!.metrics).toMatchObject({ executions: 160, accuracy: 0.25, calls: 240 });
    expect(record!.metrics.validDesigns).toBeCloseTo(2 / 3, 12);
    const [first] = await expectRenewed(id, 3);
    expect(record!.startedAtMs).toBe(first!.startedAtMs);
  });

  it('an evaluation answers each question once', async () => {
    const plan = planOf(1, 90);
    await start(server, 'evaluation', 'few/eval-final', { runId: 'few', name: 'final', policyVersion: 0, plan });
    expect(inOrder(seen.get('few/eval-final'))).toEqual(upTo(90));
    expect(seen.get('few/eval-final#record')).toEqual(['recorded']);
    await expectRenewed('few/eval-final', 3);
  });

  it('a run and its stages go through the same versions, paused or not', async () => {
    const stages = upTo(6).map((n): StagePlan => ({ stage: n + 1, learner: 'executor', iterations: n === 5 ? 8 : 1 }));
    const plan = planOf(1, 1, stages);
    const result = await start(server, 'trainingRun', 'few-run', { runId: 'few-run', dataset: 'd', plan, from: null });
    const names = ['cold-start', ...upTo(6).map((n) => `stage-0${n + 1}`)];
    expect(result).toEqual({
      policyVersion: 13,
      stopped: false,
      evaluations: Object.fromEntries(names.map((name) => [name, 0.25])),
    });
    const records = upTo(6).flatMap((n) =>
      upTo(n === 5 ? 8 : 1).map((i) => seen.get(`few-run/stage-0${n + 1}/iter-00${i + 1}#record`)?.length),
    );
    expect(records).toEqual(Array.from({ length: 13 }, () => 1));
    await expectRenewed('few-run', 2);
    await expectRenewed('few-run/stage-06-executor', 2);
  });

  it('a search tries each candidate once and keeps its budget', async () => {
    expect(await start(server, 'systemSearch', 'few-search', searchOf('few-search', 12, null))).toEqual({
      system: 'after 12',
    });
    expect(seen.get('few-search')).toEqual(upTo(12));
    await expectRenewed('few-search', 3);
    // Ten calls a round: the budget is met in the tenth.
    expect(await start(server, 'systemSearch', 'few-budget', searchOf('few-budget', 12, 95))).toEqual({
      system: 'after 10',
    });
  });

  it('a collection asks each question once', async () => {
    await start(server, 'coldStartCollection', 'few-set/collect', collectionOf('few-set', 25));
    expect(seen.get('few-set#set')).toEqual([25]);
    const asked = [...seen].filter(([id]) => id.startsWith('few-set/')).flatMap(([, slots]) => slots);
    expect(inOrder(asked)).toEqual(upTo(25));
    await expectRenewed('few-set/collect', 3);
  });

  it('a study deals with each part once and keeps its failures', async () => {
    const failures = await start(server, 'study', 'few-study', studyOf('few-study', 30));
    expect(Object.keys(failures as object)).toEqual(['few-study-base-3', 'few-study-cell-3#v3']);
    expect(seen.get('few-study')).toEqual([failures]);
    await expectRenewed('few-study', 3);
  });
});

describe('on a server as it comes', () => {
  let server: Server;
  beforeAll(async () => {
    server = await serve(inject('stack').temporalAddress);
  });
  afterAll(() => server.close());

  /**
   * Temporal warns at 10,240 events and 10 MiB, and suggests to continue as new at 4,096 events or 4 MiB. The limits hold where
   * the server joins no two answers: then a child is 9 events (three, and a workflow task of three for its start and its end)
   * and an activity 6.
   */
  it.each([
    ['trainingIteration', 'much/stage-01/iter-001', [iterationOf('much', 60)], 60, 10, 4],
    [
      'evaluation',
      'much/eval-final',
      [{ runId: 'much', name: 'final', policyVersion: 0, plan: planOf(1, 100) }],
      50,
      13,
      4,
    ],
    ['systemSearch', 'much-search', [searchOf('much-search', 10, null)], 10, 30, 8],
    ['coldStartCollection', 'much-set/collect', [collectionOf('much-set', 20)], 10, 21, 6],
    ['study', 'much-study', [studyOf('much-study', 45)], 50, 8, 4],
  ] as const)('%s: events and KiB a part', async (workflow, id, args, parts, mostEvents, mostKib) => {
    await start(server, workflow, id, ...args);
    const [{ events, bytes } = { events: 0, bytes: 0 }, ...more] = await executionsOf(server, id);
    expect(more).toEqual([]);
    const kib = bytes / 1024;
    console.info(`${workflow}: ${events} events, ${kib.toFixed(0)} KiB, ${parts} parts`);
    expect(events / parts).toBeLessThan(mostEvents);
    expect(kib / parts).toBeLessThan(mostKib);
  });
});
