/**
 * The small numbers a run's workflows steer by. Made once from the recipe (`shared/plan/run-plan.ts`) and carried as
 * workflow input, so it stands in the history; everything larger stays in the run document.
 */
import type { OpenQuestion } from './decision.ts';
import type { Role } from './role.ts';

/** Who learns in a stage. `both` is the coupled ablation: one update of both roles' trajectories per iteration. */
export type Learner = Role | 'both';

export interface StagePlan {
  /** Counts from 1. */
  stage: number;
  learner: Learner;
  iterations: number;
}

export interface RolloutShape {
  questionsPerIteration: number;
  /** M of the paper. */
  designsPerQuestion: number;
  /** N of the paper. */
  executionsPerDesign: number;
  /** Rollout workflows that are open at once. */
  concurrentQuestions: number;
}

export interface EvaluationPlan {
  /** k of avg@k: fresh designs a question, each executed once. */
  samples: number;
  /** Held-out questions; 0 switches evaluation off. */
  questions: number;
  /** Questions of one evaluation activity. */
  questionsPerBatch: number;
  /** Evaluation activities that are open at once. */
  concurrentBatches: number;
  /** Also evaluate after every so many iterations of a stage; 0 for stage ends only. */
  everyIterations: number;
  /** Which stage ends are measured; absent: all. */
  stageEnds?: 'all' | 'last';
}

/** Times of one group of activities, in milliseconds. */
export interface ActivityPolicy {
  startToCloseMs: number;
  /** Null for short activities. */
  heartbeatMs: number | null;
  /** Wait for a free worker, at most; null or absent: as long as it takes. */
  scheduleToStartMs?: number | null;
  initialRetryMs: number;
  maximumRetryMs: number;
}

/** `control`: store work. `rollout`: sampling and executing. `train`: updates. `sandbox`: verification. */
export type ActivityGroup = 'control' | 'rollout' | 'train' | 'sandbox';
export type ActivityPolicies = Record<ActivityGroup, ActivityPolicy>;
export type TaskQueues = Record<'control' | 'gpu' | 'sandbox', string>;

/**
 * Which changes of a run's recipe are in force: their name. Earlier programs counted them, and left it out for none.
 */
export type Revision = string | number;

export interface RunPlan {
  seed: number;
  queues: TaskQueues;
  activities: ActivityPolicies;
  trainQuestions: number;
  /** SFT activities before the first stage; each commits a policy version. 0 for none. */
  coldStartChunks: number;
  stages: readonly StagePlan[];
  rollout: RolloutShape;
  evaluation: EvaluationPlan;
  /** Activities among which an update's gradients are divided; absent: the update computes them itself. */
  gradientShards?: number;
  /** A stage's workflow continues as new after so many iterations at the latest. */
  iterationsPerHistory: number;
  /** Absent in the run's document, which says it by its changes. */
  revision?: Revision;
  /** Where the dashboard is served, for links in the Temporal UI; absent where that is not known. */
  dashboardUrl?: string;
}

/** Where the database says the run stands. */
export interface RunPosition {
  policyVersion: number;
  /** Chunks of the cold start that are committed. */
  coldStartChunks: number;
  /** Committed iterations of each stage, in stage order. */
  iterations: number[];
  /** avg@k of evaluations that are recorded, by name. */
  evaluations: Record<string, number>;
  /** By which decisions have multiplied the learning rate; absent: 1. */
  rateFactor?: number;
}

/** What `progress` answers at every level of a run. */
export interface Progress {
  runId: string;
  phase: 'starting' | 'cold-start' | 'training' | 'evaluating' | 'paused' | 'undecided' | 'stopping' | 'finished';
  stage: number | null;
  stages: number;
  learner: Learner | null;
  /** Of the stage. */
  iteration: number | null;
  iterations: number | null;
  policyVersion: number | null;
  /** Mean execution reward of the newest iteration. */
  meanReward: number | null;
  /** avg@k of each evaluation so far, by evaluation name. */
  evaluations: Readonly<Record<string, number>>;
  /** What the run waits for a person to decide. */
  question?: OpenQuestion | null;
}

/** How far a piece of work has come that is made of equal parts. */
export interface BatchProgress {
  done: number;
  of: number;
  /** What a part is, in the plural. */
  parts: string;
}
