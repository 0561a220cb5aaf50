/**
 * One iteration (design: "One iteration"): rollouts of B questions in a window → credit → one policy update of the role
 * that learns → record. Only ids and small numbers pass through here.
 */
import { executeChild, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { iterationId, policyVersionName, rolloutId } from '../shared/domain/ids.ts';
import type { Learner, RunPlan } from '../shared/domain/plan.ts';
import type { Batch } from '../shared/domain/tasks.ts';
import { drawQuestions } from '../shared/plan/draw-questions.ts';
import { activitiesOf } from './activity-proxies.ts';
import { hierarchicalRollout } from './hierarchical-rollout.ts';
import type { HierarchicalRolloutResult } from './hierarchical-rollout.ts';
import { searchAttributes, visible } from './search-attributes.ts';
import { mapWindow } from './window.ts';

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
  plan: RunPlan;
}

export interface TrainingIterationResult {
  policyVersion: number;
  meanReward: number;
  metrics: Record<string, number>;
}

export async function trainingIteration(input: TrainingIterationInput): Promise<TrainingIterationResult> {
  const { runId, stage, iteration, learner, policyVersion, plan } = input;
  const { control, train } = activitiesOf(plan);
  const batchId = iterationId(runId, stage, iteration);
  const batch: Batch = { runId, batchId, purpose: 'train', policyVersion };
  const { questionsPerIteration, designsPerQuestion, executionsPerDesign, concurrentQuestions } = plan.rollout;
  const questionIndices = drawQuestions(plan.seed, plan.trainQuestions, input.cursor, questionsPerIteration);

  const rollouts = await mapWindow(
    questionIndices.map((questionIndex, slot) => ({ questionIndex, slot })),
    concurrentQuestions,
    (slot) =>
      executeChild(hierarchicalRollout, {
        workflowId: rolloutId(batchId, slot.slot),
        args: [
          {
            ...batch,
            ...slot,
            designs: designsPerQuestion,
            executions: executionsPerDesign,
            plan: { queues: plan.queues, activities: plan.activities },
          },
        ],
        staticSummary: `question ${slot.questionIndex}: ${designsPerQuestion} designs × ${executionsPerDesign} executions`,
        typedSearchAttributes: visible({ runId, stage, iteration, role: learner, policyVersion }),
      }),
  );

  const slots = rollouts.map((_, slot) => slot);
  const credit = await control.assignCredit.executeWithOptions({ summary: `credit of ${slots.length} questions` }, [
    { ...batch, slots },
  ]);
  const updated = await train.updatePolicy.executeWithOptions(
    { summary: `${learner} learns: ${policyVersionName(policyVersion)} → ${policyVersionName(policyVersion + 1)}` },
    [{ runId, batchId, learner, baseVersion: policyVersion, keep: input.last }],
  );

  const metrics = { ...rolloutMetrics(rollouts), meanReward: credit.meanReward, ...updated.metrics };
  await control.recordIteration({
    runId,
    batchId,
    stage,
    iteration,
    learner,
    policyIn: policyVersion,
    policyOut: updated.policyVersion,
    questionIndices,
    metrics,
  });
  upsertSearchAttributes([
    { key: searchAttributes.meanReward, value: credit.meanReward },
    { key: searchAttributes.policyVersion, value: updated.policyVersion },
  ]);
  setCurrentDetails(detailsOf(input, updated.policyVersion, metrics));
  return { policyVersion: updated.policyVersion, meanReward: credit.meanReward, metrics };
}

function rolloutMetrics(rollouts: readonly HierarchicalRolloutResult[]): Record<string, number> {
  const sum = (pick: (result: HierarchicalRolloutResult) => number) =>
    rollouts.reduce((total, result) => total + pick(result), 0);
  const executions = sum((result) => result.executions);
  return {
    executions,
    accuracy: executions === 0 ? 0 : sum((result) => result.correct) / executions,
    validDesigns: sum((result) => result.validDesigns) / sum((result) => result.designs),
    calls: sum((result) => result.calls),
  };
}

function detailsOf(input: TrainingIterationInput, policyOut: number, metrics: Record<string, number>): string {
  const rows = Object.entries(metrics).map(([name, value]) => `| ${name} | ${Number(value.toPrecision(5))} |`);
  return [
    `${input.learner} learned: ${policyVersionName(input.policyVersion)} → ${policyVersionName(policyOut)}`,
    '',
    '| metric | value |',
    '| --- | --- |',
    ...rows,
  ].join('\n');
}
