/** What workflows hand to activities and get back: ids and small numbers only. */
import type { Decision } from './decision.ts';
import type { Learner, Revision } from './plan.ts';

/** Which questions a batch draws from, and with which sampling settings it runs. */
export type BatchPurpose = 'train' | 'evaluation';

export interface Batch {
  runId: string;
  /** Id of an iteration, an evaluation or a solved question. */
  batchId: string;
  purpose: BatchPurpose;
  policyVersion: number;
  /** Digest of the dataset to draw from; absent: the run's own, by purpose. */
  dataset?: string;
  /** Id of the system that answers; absent: the run's own designs. */
  system?: string;
  revision?: Revision;
}

/** One question of a batch. */
export interface Slot {
  /** From 0. */
  slot: number;
  /** Index into the batch's dataset. */
  questionIndex: number;
}

export interface InitializePolicyInput {
  runId: string;
  revision?: Revision;
}
export interface FineTuneInput {
  runId: string;
  /** From 1. */
  chunk: number;
  baseVersion: number;
  revision?: Revision;
  /** By which the learning rate is multiplied; absent: 1. */
  rateFactor?: number;
}
export interface SampleDesignsInput extends Batch, Slot {
  designs: number;
}
export interface SampleDesignsResult {
  /** Numbers of the designs that may be executed. */
  valid: number[];
  invalid: number;
}
export interface ExecuteDesignInput extends Batch, Slot {
  design: number;
  executions: number;
}
export interface ExecuteDesignResult {
  /** Executions that ended with a reply. */
  replied: number;
  calls: number;
}
export interface RollOutInput extends Batch, Slot {
  designs: number;
  executions: number;
}
export interface RollOutResult {
  /** Designs that were executed, in their order. */
  valid: ({ design: number } & ExecuteDesignResult)[];
  invalid: number;
}
export interface EvaluateBatchInput extends Batch {
  slots: Slot[];
  samples: number;
}
export interface EvaluateBatchResult {
  calls: number;
  validDesigns: number;
}
export interface VerifyBatchInput extends Batch {
  slots: Slot[];
}
export interface VerifyBatchResult {
  /** Mean over executions; null when there is none. */
  meanReward: number | null;
  /** Executions judged correct, and all executions. */
  correct: number;
  executions: number;
}
export interface AssignCreditInput extends Batch {
  slots: number[];
}
export interface AssignCreditResult {
  meanReward: number;
  /** Trajectories with an advantage other than 0, by role. */
  informative: { designer: number; executor: number };
}
export interface UpdatePolicyInput {
  runId: string;
  batchId: string;
  learner: Learner;
  baseVersion: number;
  /** True for the last iteration of a stage: the version is kept for good. */
  keep: boolean;
  revision?: Revision;
  /** By which the learning rate is multiplied; absent: 1. */
  rateFactor?: number;
  /** `skip`: the version advances without an update. */
  decision?: Extract<Decision, { choice: 'skip' }>;
  /** Of all shards, in their order; absent: the update computes them itself. */
  gradients?: StoredGradient[];
}
/** The gradients of one micro-batch in the store, and what was counted on the way. */
export interface StoredGradient {
  digest: string;
  loss: number;
  /** Sums over its tokens, by name. */
  tally: Record<string, number>;
  /** Memory had run out before: it was computed in halves. */
  halved?: boolean;
}
export interface GradientShardInput extends UpdatePolicyInput {
  /** From 0. */
  shard: number;
  shards: number;
}
export interface GradientShardResult {
  /** In the order of the micro-batches; empty where there is nothing to learn from. */
  gradients: StoredGradient[];
}
export interface RecordDecisionInput {
  runId: string;
  /** Unique among the run's decisions. */
  id: string;
  about: string;
  failure: string;
  decision: Decision;
}
export interface UpdatePolicyResult {
  policyVersion: number;
  metrics: Record<string, number>;
}
export interface RecordStageInput {
  runId: string;
  stage: number;
  learner: Learner;
  iterations: number;
  policyIn: number;
  policyOut: number | null;
}
export interface RecordIterationInput {
  runId: string;
  batchId: string;
  stage: number;
  iteration: number;
  learner: Learner;
  policyIn: number;
  policyOut: number;
  questionIndices: number[];
  metrics: Record<string, number>;
  /** Times of the workflow, in milliseconds since 1970: its start, and when its rollouts had ended. */
  startedAtMs: number;
  rolledOutAtMs: number;
  revision?: Revision;
}
export interface RecordEvaluationInput extends Batch {
  name: string;
  samples: number;
  questions: number;
}
export interface RecordEvaluationResult {
  /** avg@k in [0, 1]. */
  average: number;
  metrics: Record<string, number>;
}
export interface RecordRunInput {
  runId: string;
  status: 'running' | 'finished' | 'stopped' | 'failed';
  failure?: { name: string; message: string };
}
export interface PruneBlobsInput {
  runId: string;
  policyVersion: number;
}
