/** Signals and queries of a run, with what they carry. The same names work at run and stage level. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
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

export interface StageProgress {
  stage: number;
  /** Iterations that are done. */
  iteration: number;
  policyVersion: number;
  meanReward: number | null;
  /** avg@k by evaluation name, of evaluations inside the stage. */
  evaluations: Record<string, number>;
}
