/**
 * One stage: K iterations in which one role learns and the other is frozen (paper section 3.3). Runs iterations one
 * after another, continues as new before its history grows long, reports to the run above it.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  executeChild,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { evaluationId, iterationId, policyVersionName, stageId } from '../shared/domain/ids.ts';
import type { Progress, RunPlan, StagePlan } from '../shared/domain/plan.ts';
import { lookDeeper, markdownTable, percentText, progressBar, rewardText } from './details.ts';
import { evaluation } from './evaluation.ts';
import { progressDescription, progressQuery, stageProgressSignal } from './messages.ts';
import type { StageProgress } from './messages.ts';
import { RunControl } from './run-control.ts';
import { searchAttributes, visible } from './search-attributes.ts';
import { trainingIteration } from './training-iteration.ts';
import { checkInput, planFields } from './check-input.ts';

export interface CoEvolutionStageInput extends StagePlan {
  runId: string;
  plan: RunPlan;
  policyVersion: number;
  /** Training questions drawn before this stage's next iteration. */
  cursor: number;
  /** Iterations of this stage that are done. */
  done: number;
  paused: boolean;
  stopping: boolean;
  evaluations: Record<string, number>;
  /** By which decisions have multiplied the learning rate; absent: 1. */
  rateFactor?: number;
  /** Newest iterations, for the details table. */
  recent: RecentIteration[];
}

interface RecentIteration {
  iteration: number;
  meanReward: number;
  policyVersion: number;
}

export interface CoEvolutionStageResult {
  policyVersion: number;
  cursor: number;
  done: number;
  stopped: boolean;
  evaluations: Record<string, number>;
  rateFactor?: number;
}

const recentRows = 12;
const reportsPerStage = 500;

export async function coEvolutionStage(input: CoEvolutionStageInput): Promise<CoEvolutionStageResult> {
  checkInput('coEvolutionStage', input, {
    runId: 'text',
    stage: 'number',
    iterations: 'number',
    done: 'number',
    cursor: 'number',
    'plan.rollout.questionsPerIteration': 'number',
    ...planFields,
  });
  const { runId, stage, learner, iterations, plan } = input;
  const state = { ...input };
  const control = new RunControl(input);
  control.listen(() => undefined);
  setHandler(progressQuery, () => progressOf(state, control), { description: progressDescription });

  let sinceStart = 0;
  while (state.done < iterations && !control.stopping) {
    await control.clearance();
    if (control.stopping) break;
    const iteration = state.done + 1;
    const result = await executeChild(trainingIteration, {
      workflowId: iterationId(runId, stage, iteration),
      args: [
        {
          runId,
          stage,
          iteration,
          learner,
          policyVersion: state.policyVersion,
          cursor: state.cursor,
          last: iteration === iterations,
          previousReward: state.recent.at(-1)?.meanReward ?? null,
          rateFactor: state.rateFactor,
          plan,
        },
      ],
      staticSummary: summaryOf(state, iteration),
      typedSearchAttributes: visible({ runId, stage, iteration, role: learner, policyVersion: state.policyVersion }),
    });
    if (result.stopped) break;
    state.rateFactor = result.rateFactor;
    state.done = iteration;
    state.cursor += plan.rollout.questionsPerIteration;
    state.policyVersion = result.policyVersion;
    state.recent = [
      ...state.recent.slice(1 - recentRows),
      { iteration, meanReward: result.meanReward, policyVersion: result.policyVersion },
    ];
    if (isDue(plan.evaluation.everyIterations, iteration, iterations)) {
      await evaluateWithin(state, iteration);
    }
    setCurrentDetails(detailsOf(state));
    upsertSearchAttributes([
      { key: searchAttributes.iteration, value: iteration },
      { key: searchAttributes.policyVersion, value: state.policyVersion },
      { key: searchAttributes.meanReward, value: result.meanReward },
    ]);
    if (isReported(iteration, iterations)) await report(state);
    sinceStart += 1;
    if (state.done < iterations && (workflowInfo().continueAsNewSuggested || sinceStart >= plan.iterationsPerHistory)) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof coEvolutionStage>({ ...state, paused: control.paused, stopping: control.stopping });
    }
  }
  const { policyVersion, cursor, done, evaluations, rateFactor } = state;
  return { policyVersion, cursor, done, stopped: done < iterations, evaluations, rateFactor };
}

function summaryOf({ learner, iterations, policyVersion, recent }: CoEvolutionStageInput, iteration: number): string {
  const last = recent.at(-1);
  const reward = last === undefined ? '' : ` · reward before ${last.meanReward.toFixed(2)}`;
  return `iteration ${iteration}/${iterations} · ${learner} · from ${policyVersionName(policyVersion)}${reward}`;
}

/** Each is three events of the run's history, which does not end before the stage: 500 of a stage at most. */
const isReported = (iteration: number, iterations: number) =>
  iteration === iterations || iteration % Math.ceil(iterations / reportsPerStage) === 0;

/** The stage's end has an evaluation of its own, in the run. */
const isDue = (every: number, iteration: number, iterations: number) =>
  every > 0 && iteration % every === 0 && iteration < iterations;

async function evaluateWithin(state: CoEvolutionStageInput, iteration: number): Promise<void> {
  const { runId, stage, policyVersion, plan } = state;
  const name = `stage-${String(stage).padStart(2, '0')}-iter-${String(iteration).padStart(3, '0')}`;
  const result = await executeChild(evaluation, {
    workflowId: evaluationId(runId, name),
    args: [{ runId, name, policyVersion, plan }],
    staticSummary: `avg@${plan.evaluation.samples} of ${policyVersionName(policyVersion)}`,
    typedSearchAttributes: visible({ runId, stage, policyVersion }),
  });
  state.evaluations = { ...state.evaluations, [name]: result.average };
}

async function report(state: CoEvolutionStageInput): Promise<void> {
  const progress: StageProgress = {
    stage: state.stage,
    iteration: state.done,
    policyVersion: state.policyVersion,
    meanReward: state.recent.at(-1)?.meanReward ?? null,
    evaluations: state.evaluations,
  };
  await getExternalWorkflowHandle(state.runId).signal(stageProgressSignal, progress);
}

function progressOf(state: CoEvolutionStageInput, control: { paused: boolean; stopping: boolean }): Progress {
  return {
    runId: state.runId,
    phase: control.stopping ? 'stopping' : control.paused ? 'paused' : 'training',
    stage: state.stage,
    stages: state.plan.stages.length,
    learner: state.learner,
    iteration: state.done,
    iterations: state.iterations,
    policyVersion: state.policyVersion,
    meanReward: state.recent.at(-1)?.meanReward ?? null,
    evaluations: state.evaluations,
  };
}

function detailsOf(state: CoEvolutionStageInput): string {
  const { runId, stage, learner, done, iterations, policyVersion, recent, evaluations, plan } = state;
  return [
    `**Stage ${stage}/${plan.stages.length}: ${learner === 'both' ? 'both roles learn' : `the ${learner} learns`}** · ${progressBar(done, iterations)} · ${policyVersionName(policyVersion)}`,
    '',
    markdownTable(
      ['iteration', 'mean reward', 'policy'],
      recent.map((row) => [String(row.iteration), rewardText(row.meanReward), policyVersionName(row.policyVersion)]),
    ),
    '',
    markdownTable(
      ['held-out evaluation', `avg@${plan.evaluation.samples}`],
      Object.entries(evaluations).map(([name, average]) => [name, percentText(average)]),
    ),
    '',
    lookDeeper(plan, stageId(runId, stage)),
  ].join('\n');
}
