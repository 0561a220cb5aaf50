/**
 * One iteration (design: "One iteration"): rollouts of B questions in a window → credit → one policy update of the role
 * that learns → record. Only ids and small numbers pass through here.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  createEventGroup,
  executeChild,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { iterationId, policyVersionName, rolloutId } from '../shared/domain/ids.ts';
import type { Learner, RunPlan } from '../shared/domain/plan.ts';
import type { Batch, StoredGradient, UpdatePolicyInput } from '../shared/domain/tasks.ts';
import { drawQuestions } from '../shared/plan/draw-questions.ts';
import { activitiesOf } from './activity-proxies.ts';
import { askThroughRun, withDecisions } from './decisions.ts';
import { lookDeeper, markdownTable, rewardText } from './details.ts';
import { hierarchicalRollout } from './hierarchical-rollout.ts';
import type { HierarchicalRolloutResult } from './hierarchical-rollout.ts';
import { noRollouts, plusRollouts, rolloutMetrics } from './rollout-sums.ts';
import type { RolloutSums } from './rollout-sums.ts';
import { searchAttributes, visible } from './search-attributes.ts';
import { mapWhileShort } from './window.ts';
import { checkInput, planFields } from './check-input.ts';

export interface TrainingIterationInput {
  runId: string;
  stage: number;
  /** Of the stage, from 1. */
  iteration: number;
  learner: Learner;
  policyVersion: number;
  /** Training questions drawn before this iteration. */
  cursor: number;
  /** The stage's last iteration: its version is kept for good. */
  last: boolean;
  /** Mean reward of the stage's iteration before; null for its first. */
  previousReward: number | null;
  /** By which decisions have multiplied the learning rate; absent: 1. */
  rateFactor?: number;
  /** Questions that earlier executions have rolled out, and when the first began. */
  earlier?: { rollouts: RolloutSums; startedAtMs: number };
  plan: RunPlan;
}

export interface TrainingIterationResult {
  /** The version before where the run is to stop instead of committing one. */
  policyVersion: number;
  meanReward: number;
  metrics: Record<string, number>;
  /** Absent: 1. */
  rateFactor?: number;
  /** True: it was decided to stop, nothing is committed. */
  stopped?: true;
}

export async function trainingIteration(input: TrainingIterationInput): Promise<TrainingIterationResult> {
  checkInput('trainingIteration', input, {
    runId: 'text',
    stage: 'number',
    iteration: 'number',
    cursor: 'number',
    'plan.rollout.concurrentQuestions': 'number',
    ...planFields,
  });
  const { runId, stage, iteration, learner, policyVersion, plan } = input;
  const { control, train } = activitiesOf(plan);
  const batchId = iterationId(runId, stage, iteration);
  const batch: Batch = { runId, batchId, purpose: 'train', policyVersion, revision: plan.revision };
  const ask = askThroughRun(runId);
  const questionIndices = drawQuestions(
    plan.seed,
    plan.trainQuestions,
    input.cursor,
    plan.rollout.questionsPerIteration,
  );

  const { rollouts: before, startedAtMs } = input.earlier ?? {
    rollouts: noRollouts,
    startedAtMs: workflowInfo().startTime.getTime(),
  };
  const results = await createEventGroup('rollouts').withScope(() =>
    rollOut(input, batch, questionIndices, before.questions),
  );
  const rollouts = plusRollouts(before, results);
  if (rollouts.questions < questionIndices.length) {
    await condition(allHandlersFinished);
    await continueAsNew<typeof trainingIteration>({ ...input, earlier: { rollouts, startedAtMs } });
  }
  const rolledOutAtMs = Date.now();

  return createEventGroup('credit and update').withScope(async () => {
    const slots = questionIndices.map((_, slot) => slot);
    const credit = await control.assignCredit.executeWithOptions({ summary: `credit of ${slots.length} questions` }, [
      { ...batch, slots },
    ]);
    const summary = `${learner} learns: ${policyVersionName(policyVersion)} → ${policyVersionName(policyVersion + 1)}`;
    const update = { runId, batchId, learner, baseVersion: policyVersion, keep: input.last, revision: plan.revision };
    const decided = await withDecisions({
      runId,
      plan,
      about: batchId,
      choices: ['skip', 'lower-rate', 'stop'],
      rateFactor: input.rateFactor ?? 1,
      ask,
      attempt: async ({ rateFactor, skip }) => {
        const rate = rateFactor === 1 ? {} : { rateFactor };
        const own: UpdatePolicyInput = { ...update, ...rate, ...(skip ? { decision: { choice: 'skip' } } : {}) };
        const shards = skip ? 1 : (plan.gradientShards ?? 1);
        const gradients = shards === 1 ? {} : { gradients: await shardedGradients(train, own, shards) };
        return train.updatePolicy.executeWithOptions({ summary }, [{ ...own, ...gradients }]);
      },
    });
    if (decided === null) return { policyVersion, meanReward: credit.meanReward, metrics: {}, stopped: true };
    const { result: updated, rateFactor } = decided;
    const metrics = { ...rolloutMetrics(rollouts), meanReward: credit.meanReward, ...updated.metrics };
    await control.recordIteration.executeWithOptions(
      { summary: outcomeOf(input, updated.policyVersion, credit.meanReward) },
      [
        {
          runId,
          batchId,
          stage,
          iteration,
          learner,
          policyIn: policyVersion,
          policyOut: updated.policyVersion,
          questionIndices,
          metrics,
          startedAtMs,
          rolledOutAtMs,
          revision: plan.revision,
        },
      ],
    );
    upsertSearchAttributes([
      { key: searchAttributes.meanReward, value: credit.meanReward },
      { key: searchAttributes.policyVersion, value: updated.policyVersion },
    ]);
    setCurrentDetails(detailsOf(input, updated.policyVersion, metrics, rollouts));
    return { policyVersion: updated.policyVersion, meanReward: credit.meanReward, metrics, rateFactor };
  });
}

/** One child workflow a question, at most `concurrentQuestions` open at once; results in order, of as many as fit into a history. */
function rollOut(
  { runId, stage, iteration, learner, policyVersion, plan }: TrainingIterationInput,
  batch: Batch,
  questionIndices: readonly number[],
  from: number,
): Promise<HierarchicalRolloutResult[]> {
  const { designsPerQuestion, executionsPerDesign, concurrentQuestions } = plan.rollout;
  const { queues, activities, dashboardUrl } = plan;
  return mapWhileShort(
    questionIndices.map((questionIndex, slot) => ({ questionIndex, slot })).slice(from),
    concurrentQuestions,
    (slot) =>
      executeChild(hierarchicalRollout, {
        workflowId: rolloutId(batch.batchId, slot.slot),
        args: [
          {
            ...batch,
            ...slot,
            designs: designsPerQuestion,
            executions: executionsPerDesign,
            inOneActivity: true,
            plan: { queues, activities, dashboardUrl },
          },
        ],
        staticSummary: `question ${slot.questionIndex}: ${designsPerQuestion} designs × ${executionsPerDesign} executions`,
        typedSearchAttributes: visible({ runId, stage, iteration, role: learner, policyVersion }),
      }),
  );
}

/** Of all micro-batches, in their order. */
async function shardedGradients(
  train: ReturnType<typeof activitiesOf>['train'],
  update: UpdatePolicyInput,
  shards: number,
): Promise<StoredGradient[]> {
  const results = await Promise.all(
    Array.from({ length: shards }, (_, shard) =>
      train.gradientShard.executeWithOptions({ summary: `gradients ${shard + 1} of ${shards}` }, [
        { ...update, shard, shards },
      ]),
    ),
  );
  return results.flatMap(({ gradients }) => gradients);
}

/** `iteration 7 · executor · v000006→v000007 · reward 0.41→0.47` */
function outcomeOf(input: TrainingIterationInput, policyOut: number, reward: number): string {
  const { iteration, learner, policyVersion, previousReward } = input;
  const before = previousReward === null ? '' : `${previousReward.toFixed(2)}→`;
  return `iteration ${iteration} · ${learner} · ${policyVersionName(policyVersion)}→${policyVersionName(policyOut)} · reward ${before}${reward.toFixed(2)}`;
}

function detailsOf(
  input: TrainingIterationInput,
  policyOut: number,
  metrics: Record<string, number>,
  { worst }: RolloutSums,
): string {
  const batchId = iterationId(input.runId, input.stage, input.iteration);
  return [
    `**${outcomeOf(input, policyOut, metrics.meanReward ?? 0)}**`,
    '',
    markdownTable(
      ['worst questions', 'mean reward', 'valid designs', 'correct'],
      worst.map(({ slot, meanReward, validDesigns, designs, correct, executions }) => [
        rolloutId(batchId, slot),
        rewardText(meanReward),
        `${validDesigns}/${designs}`,
        `${correct}/${executions}`,
      ]),
    ),
    '',
    markdownTable(
      ['metric', 'value'],
      Object.entries(metrics).map(([name, value]) => [name, String(Number(value.toPrecision(5)))]),
    ),
    '',
    lookDeeper(input.plan, batchId),
  ].join('\n');
}
