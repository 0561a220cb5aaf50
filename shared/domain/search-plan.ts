/** A search for a system's script or controller: its settings, and what its workflow carries. */
import type { ActivityPolicies, Revision, TaskQueues } from './plan.ts';

export interface SearchSettings {
  /** Candidates that are tried, or steps that a controller learns. */
  rounds: number;
  /** Training questions that judge a candidate, or that one step learns from. */
  questions: number;
  /** Model calls at most, proposals included; null: as many as the rounds take. */
  calls: number | null;
}

export interface SearchPlan extends SearchSettings {
  searchId: string;
  runId: string;
  /** `script`: candidates are tried; `pool`: a controller learns to pick from a pool. */
  finds: 'script' | 'pool';
  policyVersion: number;
  seed: number;
  /** Training questions that there are. */
  trainQuestions: number;
  /** Answers a question in one round. */
  answers: number;
  /** Of one activity, and activities at once. */
  questionsPerBatch: number;
  concurrentBatches: number;
  revision?: Revision;
  queues: TaskQueues;
  activities: ActivityPolicies;
}

export interface SearchRound {
  searchId: string;
  /** From 0. */
  round: number;
  revision?: Revision;
}

export interface ProposeCandidateResult {
  /** False where the script was refused, or was tried before. */
  isNew: boolean;
}

export interface RoundCost {
  /** Model calls of the search so far. */
  calls: number;
}
