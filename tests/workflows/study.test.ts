/**
 * A study's workflow on a real Temporal server, with the far side of its activities replaced by counters: what a run that
 * somebody stops means to the study.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { recipeSchema } from '../../shared/config/recipe.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { stageWorkflowId } from '../../shared/domain/ids.ts';
import type { Progress, RunPosition } from '../../shared/domain/plan.ts';
import type { RecordStudyInput, StudyCellPlan, StudyPlan, StudyRunState } from '../../shared/domain/study-plan.ts';
import type { RecordIterationInput, RecordRunInput, UpdatePolicyInput } from '../../shared/domain/tasks.ts';
import { makeRunPlan } from '../../shared/plan/run-plan.ts';
import { workflowBundle } from '../../workers/bundle.ts';

const queue = 'study-shape';
const queues = { control: queue, gpu: queue, sandbox: queue };
const recipe = recipeSchema.parse({
  name: 'shape',
  description: 'for this test',
  policy: { init: { type: 'checkpoint', directory: 'none' } },
  questions: { train: { type: 'toy', count: 4 }, heldOut: { type: 'toy', count: 4 } },
  prompts: { form: 'terse' },
  rollout: { questionsPerIteration: 1, designsPerQuestion: 1, executionsPerDesign: 1 },
  evaluation: { limit: 0 },
  stages: { iterationsPerStage: 2, count: 1 },
});
const { activities: policies } = resolveTemporalConfig({});
const sizes = { trainQuestions: 4, heldOutQuestions: 4 };
const plan = makeRunPlan({ recipe, ...sizes, queues, activities: policies });

/** What a store would hold. */
const iterations: string[] = [];
const statuses = new Map<string, string>();
const measured: string[] = [];
const recorded: RecordStudyInput[] = [];
/** Called in every update; lets a test act in mid-iteration. */
let duringUpdate: (runId: string) => Promise<unknown> = async () => undefined;

const positionOf = (runId: string): RunPosition => {
  const done = iterations.filter((id) => id.startsWith(`${runId}/`)).length;
  const names = measured.filter((each) => each.startsWith(`${runId} `)).map((each) => each.split(' ')[1]!);
  const evaluations = Object.fromEntries(names.map((name) => [name, 0.25]));
  return { policyVersion: done, coldStartChunks: 0, iterations: [done], evaluations };
};

const activities = {
  readStudyRun: async ({ runId }: { runId: string }): Promise<StudyRunState> => ({
    ended: statuses.get(runId) === 'finished',
    dataset: { digest: 'd', name: 'toy' },
    plan,
    from: positionOf(runId),
    evaluation: { ...plan.evaluation, questions: 1 },
  }),
  recordStudy: async (input: RecordStudyInput) => void recorded.push(input),
  recordRun: async ({ runId, status, failure }: RecordRunInput) =>
    void statuses.set(runId, failure === undefined ? status : `${status}: ${failure.name}`),
  recordStage: async () => undefined,
  recordIteration: async ({ batchId }: RecordIterationInput) => void iterations.push(batchId),
  recordEvaluation: async ({ runId, name }: { runId: string; name: string }) => {
    measured.push(`${runId} ${name}`);
    return { average: 0.25, metrics: {} };
  },
  assignCredit: async () => ({ meanReward: 0.5, informative: { designer: 1, executor: 1 } }),
  rollOut: async () => ({ valid: [{ design: 0, replied: 1, calls: 1 }], invalid: 0 }),
  evaluateBatch: async () => ({ calls: 1, validDesigns: 1 }),
  verifyBatch: async () => ({ meanReward: 0.5, correct: 1, executions: 1 }),
  updatePolicy: async ({ runId, baseVersion }: UpdatePolicyInput) => {
    await duringUpdate(runId);
    return { policyVersion: baseVersion + 1, metrics: {} };
  },
};

let client: Client;
const closers: (() => Promise<void>)[] = [];
beforeAll(async () => {
  const { temporalAddress } = inject('stack');
  const connection = await Connection.connect({ address: temporalAddress });
  const native = await NativeConnection.connect({ address: temporalAddress });
  client = new Client({ connection });
  const worker = await Worker.create({
    connection: native,
    taskQueue: queue,
    activities,
    workflowBundle: await workflowBundle(inject('stateDir')),
  });
  const served = worker.run();
  closers.push(async () => {
    worker.shutdown();
    await served;
    await native.close();
    await connection.close();
  });
});
afterAll(() => closers[0]!());

const cell = (runId: string, name: string): StudyCellPlan => ({
  variant: name,
  seed: 0,
  system: 'metaagentx',
  runId,
  measurement: { name: `study-${name}`, system: null, search: null },
});
const run = (study: StudyPlan) =>
  client.workflow.execute<(plan: StudyPlan) => Promise<unknown>>('study', {
    workflowId: `study/${study.studyId}`,
    taskQueue: queue,
    args: [study],
  });

it('leaves a study open whose run was stopped, measures the others, and goes on when it is given again', async () => {
  const study: StudyPlan = {
    studyId: 'halted',
    queues,
    activities: policies,
    bases: ['halted-base'],
    cells: [cell('halted-base', 'first'), cell('halted-other', 'other'), cell('halted-base', 'second')],
    concurrentRuns: 1,
  };
  duringUpdate = async (runId) => {
    if (runId !== 'halted-base') return;
    await client.workflow.getHandle(runId).signal('stop');
    // The stage hears it from the run, and begins no iteration once it has.
    const stage = client.workflow.getHandle(stageWorkflowId(runId, 1, 'executor'));
    while ((await stage.query<Progress>('progress')).phase !== 'stopping') await sleep(20);
  };
  await expect(run(study)).rejects.toMatchObject({
    cause: {
      type: 'RunStopped',
      message: expect.stringMatching(/^run 'halted-base' was stopped before its end\. .*npx metaagentx study halted$/),
    },
  });
  // No cell that measures the stopped run begins it again.
  expect(iterations).toEqual([
    'halted-base/stage-01/iter-001',
    'halted-other/stage-01/iter-001',
    'halted-other/stage-01/iter-002',
  ]);
  expect(statuses.get('halted-base')).toBe('stopped');
  expect(measured).toEqual(['halted-other study-other']);
  expect(recorded).toEqual([]);

  duringUpdate = async () => undefined;
  expect(await run(study)).toEqual({});
  expect(iterations.slice(3)).toEqual(['halted-base/stage-01/iter-002']);
  expect(measured.slice(1)).toEqual(['halted-base study-first', 'halted-base study-second']);
  expect(recorded).toEqual([{ studyId: 'halted', failures: {} }]);
});

it('goes on with its other runs where one is cancelled, and ends with its own cancellation', async () => {
  const study: StudyPlan = {
    studyId: 'cancelled',
    queues,
    activities: policies,
    bases: [],
    cells: [cell('cancelled-first', 'first'), cell('cancelled-other', 'other')],
    concurrentRuns: 1,
  };
  const own = (list: readonly string[]) => list.filter((each) => each.startsWith('cancelled-'));
  const cancelling = (workflowId: string) => async (runId: string) =>
    runId === 'cancelled-first' && client.workflow.getHandle(workflowId).cancel();
  duringUpdate = cancelling('cancelled-first');
  await expect(run(study)).rejects.toMatchObject({
    cause: { type: 'RunStopped', message: expect.stringMatching(/^run 'cancelled-first' was stopped/) as string },
  });
  expect(statuses.get('cancelled-first')).toBe('stopped');
  expect(own(measured)).toEqual(['cancelled-other study-other']);

  duringUpdate = cancelling('study/cancelled');
  await expect(run(study)).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  expect(own(measured)).toHaveLength(1);

  duringUpdate = async () => undefined;
  expect(await run(study)).toEqual({});
  expect(own(measured)).toEqual(['cancelled-other study-other', 'cancelled-first study-first']);
});
