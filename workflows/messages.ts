/** Signals, updates and queries of a run, with what they carry. The same names work at run and stage level. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Decision, OpenQuestion } from '../shared/domain/decision.ts';
import type { BatchProgress, Progress } from '../shared/domain/plan.ts';

/** No new iteration starts until `unpause`; the current one ends. */
export const pauseSignal = defineSignal('pause');
export const unpauseSignal = defineSignal('unpause');
/** The current iteration ends and is committed; then the run ends as `stopped`. */
export const stopSignal = defineSignal('stop');
export const progressQuery = defineQuery<Progress>('progress');
export const progressDescription = 'Where this run stands: phase, stage, iteration, policy version, reward, avg@k.';
/** How far an evaluation has come. */
export const batchProgressQuery = defineQuery<BatchProgress>('batchProgress');
/** A stage tells its parent what it has done, so that `progress` of the run is fresh. */
export const stageProgressSignal = defineSignal<[StageProgress]>('stageProgress');
/** A person answers the run's open question; refused where there is none. Answers with what is done. */
export const decideUpdate = defineUpdate<string, [Decision]>('decide');
/** A child cannot go on without a decision. */
export const decisionNeededSignal = defineSignal<[OpenQuestion]>('decisionNeeded');
/** The run passes on what was decided. */
export const decisionSignal = defineSignal<[Decision]>('decision');

export interface StageProgress {
  stage: number;
  /** Iterations that are done. */
  iteration: number;
  policyVersion: number;
  meanReward: number | null;
  /** avg@k by evaluation name, of evaluations inside the stage. */
  evaluations: Record<string, number>;
}
