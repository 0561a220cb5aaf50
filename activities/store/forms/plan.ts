/** Forms of the plans that documents carry: what a run's, a study's and a search's workflow steers by. */
import { z } from 'zod';
import type {
  ActivityPolicies,
  ActivityPolicy,
  EvaluationPlan,
  Learner,
  Revision,
  RolloutShape,
  RunPlan,
  StagePlan,
  TaskQueues,
} from '../../../shared/domain/plan.ts';
import type { SearchPlan, SearchSettings } from '../../../shared/domain/search-plan.ts';
import type { StudyCellPlan, StudyMeasurement, StudyPlan } from '../../../shared/domain/study-plan.ts';
import { count, object, real, text } from './form.ts';
import type { Fields } from './form.ts';

export const learner: z.ZodType<Learner> = z.enum(['designer', 'executor', 'both']);

const revision: z.ZodType<Revision> = z.union([text, count]);

const queues = object<TaskQueues>({ control: text, gpu: text, sandbox: text });
const policy = object<ActivityPolicy>({
  startToCloseMs: real,
  heartbeatMs: real.nullable(),
  scheduleToStartMs: real.nullable().optional(),
  initialRetryMs: real,
  maximumRetryMs: real,
});
const activities = object<ActivityPolicies>({ control: policy, rollout: policy, train: policy, sandbox: policy });
const stage = object<StagePlan>({ stage: count, learner, iterations: count });
const rollout = object<RolloutShape>({
  questionsPerIteration: count,
  designsPerQuestion: count,
  executionsPerDesign: count,
  concurrentQuestions: count,
});
const evaluation = object<EvaluationPlan>({
  samples: count,
  questions: count,
  questionsPerBatch: count,
  concurrentBatches: count,
  everyIterations: count,
  stageEnds: z.enum(['all', 'last']).optional(),
});

export const runPlan = object<RunPlan>({
  seed: count,
  queues,
  activities,
  trainQuestions: count,
  coldStartChunks: count,
  stages: z.array(stage),
  rollout,
  evaluation,
  gradientShards: count.optional(),
  iterationsPerHistory: count,
  revision: revision.optional(),
  dashboardUrl: text.optional(),
});

const settings: Fields<SearchSettings> = { rounds: count, questions: count, calls: count.nullable() };
export const searchSettings = object<SearchSettings>(settings);
export const finds = z.enum(['script', 'pool']);

const searchPlan = object<SearchPlan>({
  ...settings,
  searchId: text,
  runId: text,
  finds,
  policyVersion: count,
  seed: count,
  trainQuestions: count,
  answers: count,
  questionsPerBatch: count,
  concurrentBatches: count,
  revision: revision.optional(),
  queues,
  activities,
});

const measurement = object<StudyMeasurement>({ name: text, system: text.nullable(), search: searchPlan.nullable() });
const cell = object<StudyCellPlan>({
  variant: text,
  seed: count,
  system: text,
  runId: text,
  measurement: measurement.nullable(),
});
export const studyPlan = object<StudyPlan>({
  studyId: text,
  queues,
  activities,
  bases: z.array(text),
  cells: z.array(cell),
  concurrentRuns: count,
});
