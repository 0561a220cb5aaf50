/** What a study's workflow carries: which runs, in which order, and what is measured when each has ended. */
import type { SearchPlan } from './search-plan.ts';
import type { ActivityPolicies, EvaluationPlan, RunPlan, RunPosition, TaskQueues } from './plan.ts';

/** A measurement after a run has ended, besides those that the run makes itself. */
export interface StudyMeasurement {
  /** Name of the evaluation. */
  name: string;
  /** Id of the stored system that answers; null: the run's own designs. */
  system: string | null;
  /** The search that finds it; null where it is stored already. */
  search: SearchPlan | null;
}

export interface StudyCellPlan {
  variant: string;
  seed: number;
  /** Name in the registry of systems. */
  system: string;
  /** The run that is trained, or the cold start that is measured. */
  runId: string;
  /** Null: the run's own last evaluation is reported. */
  measurement: StudyMeasurement | null;
}

export interface StudyPlan {
  studyId: string;
  queues: TaskQueues;
  activities: ActivityPolicies;
  /** Cold starts that others begin from, one a seed. */
  bases: string[];
  cells: StudyCellPlan[];
  concurrentRuns: number;
}

/** Of a cell or a base that could not be run to its end, by run id. */
export type StudyFailures = Record<string, string>;

export interface ReadStudyRunInput {
  runId: string;
  /** What is to be measured with it next: the versions are pinned until the study is recorded. */
  measuring?: {
    /** Id of the study's workflow. */
    pin: string;
    name: string;
    search: Pick<SearchPlan, 'searchId' | 'policyVersion'> | null;
  };
}

/** What the database says of a run that a study wants to be ended. */
export interface StudyRunState {
  ended: boolean;
  dataset: { digest: string; name: string };
  plan: RunPlan;
  from: RunPosition | null;
  evaluation: EvaluationPlan;
}

export interface RecordStudyInput {
  studyId: string;
  failures: StudyFailures;
}
