/**
 * The workflows on a real Temporal server, with the far side of their activities replaced by counters: order of stages,
 * ids, cursors, pause, stop, continue-as-new, resume from a position. What activities do is tested elsewhere.
 */
import { writeFileSync } from 'node:fs';
import { Client, Connection, WorkflowUpdateFailedError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { recipeSchema } from '../../shared/config/recipe.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import type { Decision } from '../../shared/domain/decision.ts';
import type { Progress, RunPlan, RunPosition } from '../../shared/domain/plan.ts';
import type {
  RecordDecisionInput,
  RecordIterationInput,
  RecordStageInput,
  RollOutInput,
  UpdatePolicyInput,
} from '../../shared/domain/tasks.ts';
import { makeRunPlan } from '../../shared/plan/run-plan.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import type { TrainingRunInput, TrainingRunResult } from '../../workflows/training-run.ts';

const queue = 'run-shape';
const queues = { control: queue, gpu: queue, sandbox: queue };

/** What the counters saw. */
interface Seen {
  iterations: RecordIterationInput[];
  updates: UpdatePolicyInput[];
  sampled: RollOutInput[];
  evaluations: string[];
  statuses: string[];
  coldStart: number[];
  decisions: [string, Decision][];
  stages: RecordStageInput[];
}
const seenBy = new Map<string, Seen>();
const seen = (runId: string) => {
  let found = seenBy.get(runId);
  if (found === undefined) {
    found = {
      iterations: [],
      updates: [],
      sampled: [],
      evaluations: [],
      statuses: [],
      coldStart: [],
      decisions: [],
      stages: [],
    };
    seenBy.set(runId, found);
  }
  return found;
};
/** Called in every update; lets a test act in mid-iteration. */
let duringUpdate: (input: UpdatePolicyInput) => Promise<void> = async () => undefined;

const activities = {
  recordRun: async ({ runId, status }: { runId: string; status: string }) => void seen(runId).statuses.push(status),
  recordStage: async (input: RecordStageInput) => void seen(input.runId).stages.push(input),
  recordDecision: async ({ runId, about, decision }: RecordDecisionInput) =>
    void seen(runId).decisions.push([about, decision]),
  recordIteration: async (input: RecordIterationInput) => void seen(input.runId).iterations.push(input),
  recordEvaluation: async ({ runId, name }: { runId: string; name: string }) => {
    seen(runId).evaluations.push(name);
    return { average: 0.25, metrics: {} };
  },
  assignCredit: async () => ({ meanReward: 0.5, informative: { designer: 1, executor: 1 } }),
  initializePolicy: async () => ({ policyVersion: 0 }),
  fineTune: async ({ runId, chunk, baseVersion }: { runId: string; chunk: number; baseVersion: number }) => {
    seen(runId).coldStart.push(chunk);
    return { policyVersion: baseVersion + 1 };
  },
  rollOut: async (input: RollOutInput) => {
    seen(input.runId).sampled.push(input);
    return { valid: [{ design: 0, replied: 2, calls: 3 }], invalid: input.designs - 1 };
  },
  evaluateBatch: async () => ({ calls: 1, validDesigns: 1 }),
  verifyBatch: async () => ({ meanReward: 0.5, correct: 1, executions: 2 }),
  updatePolicy: async (input: UpdatePolicyInput) => {
    seen(input.runId).updates.push(input);
    await duringUpdate(input);
    return { policyVersion: input.baseVersion + 1, metrics: {} };
  },
};

let client: Client;
let worker: Worker;
let served: Promise<void>;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const { temporalAddress } = inject('stack');
  const connection = await Connection.connect({ address: temporalAddress });
  const native = await NativeConnection.connect({ address: temporalAddress });
  client = new Client({ connection });
  worker = await Worker.create({
    connection: native,
    taskQueue: queue,
    activities,
    workflowBundle: await workflowBundle(inject('stateDir')),
  });
  served = worker.run();
  closers.push(
    () => connection.close(),
    () => native.close(),
  );
});
/** Named by workflow and by what is special about it; committed for tests/replay. */
const recorded: Record<string, string> = {
  'trainingRun.whole': 'whole',
  'trainingRun.paused': 'paused',
  'trainingRun.resumed': 'resumed',
  'trainingRun.decided': 'lowered',
  'coEvolutionStage.whole': 'whole/stage-01-executor',
  'coEvolutionStage.renewed': 'renewed/stage-01-executor',
  'trainingIteration.whole': 'whole/stage-01/iter-001',
  'trainingIteration.lowered': 'lowered/stage-01/iter-001',
  'trainingIteration.skipped': 'skipped/stage-01/iter-001',
  'hierarchicalRollout.whole': 'whole/stage-01/iter-001/q-000',
  'evaluation.whole': 'whole/eval-stage-01',
};

async function recordHistories(): Promise<void> {
  for (const [name, workflowId] of Object.entries(recorded)) {
    const history = await client.workflow.getHandle(workflowId).fetchHistory();
    const bytes = temporal.api.history.v1.History.encode(history).finish();
    const text = JSON.stringify({ workflowId, history: Buffer.from(bytes).toString('base64') });
    writeFileSync(new URL(`../replay/histories/${name}.json`, import.meta.url), `${text}\n`);
  }
}

afterAll(async () => {
  if (process.env.METAAGENTX_RECORD_HISTORIES === '1') await recordHistories();
  worker.shutdown();
  await served;
  for (const close of closers) await close();
});

const recipe = recipeSchema.parse({
  name: 'shape',
  description: 'for this test',
  seed: 5,
  policy: { init: { type: 'checkpoint', directory: 'none' } },
  questions: { train: { type: 'toy', count: 10 }, heldOut: { type: 'toy', count: 20 } },
  coldStart: { type: 'toy', examples: 4, chunks: 2, steps: 4, batchSize: 2, learningRate: 1e-3 },
  prompts: { form: 'terse' },
  rollout: { questionsPerIteration: 3, designsPerQuestion: 2, executionsPerDesign: 2 },
  stages: { iterationsPerStage: 2, count: 2 },
});
const { activities: policies } = resolveTemporalConfig({});
const planOf = (change: Partial<RunPlan> = {}): RunPlan => ({
  ...makeRunPlan({ recipe, trainQuestions: 10, heldOutQuestions: 20, queues, activities: policies }),
  ...change,
});

const startRun = (runId: string, plan: RunPlan, from: RunPosition | null = null) =>
  client.workflow.start<(input: TrainingRunInput) => Promise<TrainingRunResult>>('trainingRun', {
    workflowId: runId,
    taskQueue: queue,
    args: [{ runId, dataset: 'd', plan, from }],
  });

const progress = (handle: WorkflowHandle) => handle.query<Progress>('progress');

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited 120 s for a condition');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('a run', () => {
  it('goes through cold start, stages in order, and evaluations', async () => {
    const handle = await startRun('whole', planOf());
    const result = await handle.result();
    expect(result).toEqual({
      policyVersion: 6,
      stopped: false,
      evaluations: { 'cold-start': 0.25, 'stage-01': 0.25, 'stage-02': 0.25 },
    });
    const { iterations, updates, sampled, coldStart, statuses } = seen('whole');
    expect(coldStart).toEqual([1, 2]);
    expect(
      iterations.map(({ batchId, learner, policyIn, policyOut }) => [batchId, learner, policyIn, policyOut]),
    ).toEqual([
      ['whole/stage-01/iter-001', 'executor', 2, 3],
      ['whole/stage-01/iter-002', 'executor', 3, 4],
      ['whole/stage-02/iter-001', 'designer', 4, 5],
      ['whole/stage-02/iter-002', 'designer', 5, 6],
    ]);
    expect(updates.map(({ keep }) => keep)).toEqual([false, true, false, true]);
    // 12 draws of 10 questions: each once in the first pass.
    const drawn = iterations.flatMap(({ questionIndices }) => questionIndices);
    expect([...drawn.slice(0, 10)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(sampled).toHaveLength(12);
    expect(statuses).toEqual(['running', 'finished']);
    const stage = await client.workflow.getHandle('whole/stage-02-designer').describe();
    expect(stage.status.name).toBe('COMPLETED');
    expect(stage.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])).toEqual(
      expect.arrayContaining([
        ['TrainingRun', 'whole'],
        ['Stage', 2],
        ['Role', 'designer'],
      ]),
    );
  });

  it('pauses between iterations, goes on, and stops after the one in hand', async () => {
    const held = [1, 2].map(() => ({ begun: deferred(), release: deferred() }));
    duringUpdate = async ({ runId }) => {
      const update = runId === 'paused' ? held[seen('paused').updates.length - 1] : undefined;
      update?.begun.resolve();
      await update?.release.promise;
    };
    const handle = await startRun('paused', planOf());
    const stage = client.workflow.getHandle('paused/stage-01-executor');
    /** Signals in mid-update, which ends when the stage has heard of it by way of the run. */
    const signalDuring = async (update: number, signal: 'pause' | 'stop', phase: Progress['phase']) => {
      await held[update]!.begun.promise;
      await handle.signal(signal);
      await until(async () => (await progress(stage)).phase === phase);
      held[update]!.release.resolve();
    };
    await signalDuring(0, 'pause', 'paused');
    await until(() => seen('paused').iterations.length === 1);
    await until(async () => (await progress(handle)).phase === 'paused');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(seen('paused').updates).toHaveLength(1);
    await handle.signal('unpause');
    await signalDuring(1, 'stop', 'stopping');
    const result = await handle.result();
    expect(result.stopped).toBe(true);
    expect(seen('paused').iterations).toHaveLength(2);
    expect(seen('paused').statuses.at(-1)).toBe('stopped');
  });

  it('hears what was sent before it began', async () => {
    const early = (runId: string, signal: 'pause' | 'stop') =>
      client.workflow.signalWithStart<(input: TrainingRunInput) => Promise<TrainingRunResult>>('trainingRun', {
        workflowId: runId,
        taskQueue: queue,
        args: [{ runId, dataset: 'd', plan: planOf(), from: null }],
        signal,
      });
    const stopped = await early('stopped-early', 'stop');
    expect(await stopped.result()).toMatchObject({ policyVersion: 0, stopped: true });
    const paused = await early('paused-early', 'pause');
    await until(async () => (await progress(paused)).phase === 'paused');
    expect(seen('paused-early').coldStart).toEqual([]);
    await paused.signal('unpause');
    expect(await paused.result()).toMatchObject({ policyVersion: 6, stopped: false });
  });

  it('continues its stages as new without a change in what happens', async () => {
    const handle = await startRun('renewed', planOf({ iterationsPerHistory: 1 }));
    await handle.result();
    const indices = (runId: string) => seen(runId).iterations.map(({ questionIndices }) => questionIndices);
    expect(indices('renewed')).toEqual(indices('whole'));
    const first = await client.workflow.getHandle('renewed/stage-01-executor').describe();
    expect(first.historyLength).toBeLessThan(60);
  });

  it('goes on from a position in the database', async () => {
    const from: RunPosition = {
      policyVersion: 5,
      coldStartChunks: 2,
      iterations: [2, 1],
      evaluations: { 'cold-start': 0.1, 'stage-01': 0.2 },
    };
    const handle = await startRun('resumed', planOf(), from);
    const result = await handle.result();
    expect(result.evaluations).toEqual({ 'cold-start': 0.1, 'stage-01': 0.2, 'stage-02': 0.25 });
    const { iterations, coldStart } = seen('resumed');
    expect(coldStart).toEqual([]);
    expect(iterations.map(({ batchId }) => batchId)).toEqual(['resumed/stage-02/iter-002']);
    expect(iterations[0]!.questionIndices).toEqual(seen('whole').iterations[3]!.questionIndices);
    const stage = { runId: 'resumed', stage: 2, learner: 'designer', iterations: 2, policyIn: 4 };
    expect(seen('resumed').stages).toEqual([
      { ...stage, policyOut: null },
      { ...stage, policyOut: 6 },
    ]);
  });
});

describe('a loss that is not finite', () => {
  /** Fails the update of `batch` while its rate is above `finiteFrom`. */
  const failIn = (run: string, batch: string, finiteFrom: number) => {
    duringUpdate = async ({ runId, batchId, rateFactor = 1, decision }) => {
      if (runId !== run || batchId !== `${run}/${batch}` || decision !== undefined || rateFactor <= finiteFrom) return;
      throw ApplicationFailure.nonRetryable('the loss of step 1 is NaN', 'NonFiniteLoss');
    };
  };
  const asked = async (runId: string) => {
    await until(async () => (await progress(client.workflow.getHandle(runId))).phase === 'undecided');
    return (await progress(client.workflow.getHandle(runId))).question;
  };
  const decide = (runId: string, decision: unknown) =>
    client.workflow.getHandle(runId).executeUpdate<string, [unknown]>('decide', { args: [decision] });
  const first = 'stage-01/iter-001';

  it('waits, refuses what is no answer, lowers the rate here and from here on', async () => {
    failIn('lowered', first, 0.25);
    const handle = await startRun('lowered', planOf());
    expect(await asked('lowered')).toEqual({
      workflowId: `lowered/${first}`,
      about: `lowered/${first}`,
      failure: 'the loss of step 1 is NaN',
      choices: ['skip', 'lower-rate', 'stop'],
    });
    for (const wrong of [{ choice: 'pray' }, { choice: 'lower-rate', factor: 2 }, null]) {
      await expect(decide('lowered', wrong)).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
    }
    for (let times = 0; times < 2; times++) {
      await asked('lowered');
      expect(await decide('lowered', { choice: 'lower-rate', factor: 0.5 })).toBe(`lowered/${first}: lower-rate`);
      await until(() => seen('lowered').decisions.length === times + 1);
    }
    expect((await handle.result()).stopped).toBe(false);
    const rates = seen('lowered').updates.map(({ batchId, rateFactor }) => [batchId.slice(-17), rateFactor ?? 1]);
    expect(rates).toEqual([
      ['stage-01/iter-001', 1],
      ['stage-01/iter-001', 0.5],
      ['stage-01/iter-001', 0.25],
      ['stage-01/iter-002', 0.25],
      ['stage-02/iter-001', 0.25],
      ['stage-02/iter-002', 0.25],
    ]);
    await expect(decide('lowered', { choice: 'skip' })).rejects.toThrow();
  });

  it('skips the update, and only that', async () => {
    failIn('skipped', first, 0);
    const handle = await startRun('skipped', planOf());
    await asked('skipped');
    await decide('skipped', { choice: 'skip' });
    expect(await handle.result()).toMatchObject({ policyVersion: 6, stopped: false });
    const skips = seen('skipped').updates.map(({ decision }) => decision?.choice);
    expect(skips).toEqual([undefined, 'skip', undefined, undefined, undefined]);
  });

  it.each(['decide', 'stop'])('stops before the update, asked by %s; a resume meets it again', async (how) => {
    const runId = `halted-${how}`;
    failIn(runId, first, 0);
    const handle = await startRun(runId, planOf());
    await asked(runId);
    if (how === 'stop') await handle.signal('stop');
    else await decide(runId, { choice: 'stop' });
    expect(await handle.result()).toMatchObject({ policyVersion: 2, stopped: true });
    expect(seen(runId).iterations).toEqual([]);
    expect(seen(runId).decisions).toEqual([[`${runId}/${first}`, { choice: 'stop' }]]);
    expect(seen(runId).statuses).toEqual(['running', 'stopped']);
    expect(seen(runId).stages.map(({ stage, policyOut }) => [stage, policyOut])).toEqual([[1, null]]);
  });
});
