/** What the collection of cold-start examples carries as workflow input. */
import type { Revision, RunPlan } from './plan.ts';

export interface CollectionPlan extends Pick<RunPlan, 'queues' | 'activities' | 'revision'> {
  runId: string;
  /** Questions of the run's training set, from its start. */
  questions: number;
  /** Designs a question, each executed once. */
  designs: number;
  /** Model calls, and tokens of prompts and responses, that it may take; null: no limit. */
  calls: number | null;
  tokens: number | null;
  /** Questions between two looks at the budget. */
  questionsPerBatch: number;
}

export interface RecordSetInput {
  runId: string;
  revision?: Revision;
  /** Questions that were asked. */
  asked: number;
  questions: number;
}

export interface CollectionCost {
  calls: number;
  /** Of prompts and responses. */
  tokens: number;
  /** Questions of which something is stored; absent in histories of earlier versions. */
  begun?: number;
}
