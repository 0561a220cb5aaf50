/** Recipe → the small numbers that a run's workflows carry. */
import type { Recipe } from '../config/recipe.ts';
import type { ActivityPolicies, RunPlan, TaskQueues } from '../domain/plan.ts';
import { planStages } from './stage-plan.ts';

/** Held-out questions of one evaluation activity: its calls fill the engine's batch, a crash repeats at most these. */
export const evaluationBatches = { questionsPerBatch: 16, concurrentBatches: 4 } as const;
/** About 12 events an iteration: well under the 4,096 at which the server suggests continuing as new. */
const iterationsPerHistory = 200;

export interface RunPlanInput {
  recipe: Recipe;
  /** Counts of the loaded data. */
  trainQuestions: number;
  heldOutQuestions: number;
  queues: TaskQueues;
  activities: ActivityPolicies;
}

export function makeRunPlan({ recipe, trainQuestions, heldOutQuestions, queues, activities }: RunPlanInput): RunPlan {
  return {
    seed: recipe.seed,
    queues,
    activities,
    trainQuestions,
    coldStartChunks: recipe.coldStart.type === 'none' ? 0 : recipe.coldStart.chunks,
    stages: planStages(recipe.stages),
    rollout: recipe.rollout,
    evaluation: {
      samples: recipe.evaluation.samples,
      questions: Math.min(heldOutQuestions, recipe.evaluation.limit ?? heldOutQuestions),
      ...evaluationBatches,
      everyIterations: recipe.evaluation.everyIterations,
      stageEnds: recipe.evaluation.stageEnds,
    },
    ...(recipe.update.gradientShards === 1 ? {} : { gradientShards: recipe.update.gradientShards }),
    iterationsPerHistory,
  };
}
