/** Recipe → the small numbers that a run's workflows carry. */
import type { Recipe } from '../config/recipe.ts';
import type { RunPlan } from '../domain/plan.ts';
import { planStages } from './stage-plan.ts';

/** Held-out questions of one evaluation activity: its calls fill the engine's batch, a crash repeats at most these. */
const questionsPerBatch = 16;
const concurrentBatches = 4;
/** About 12 events an iteration: well under the 4,096 at which the server suggests continuing as new. */
const iterationsPerHistory = 200;

/** `trainQuestions` and `heldOutQuestions` are counts of the loaded data. */
export function makeRunPlan(recipe: Recipe, trainQuestions: number, heldOutQuestions: number): RunPlan {
  return {
    seed: recipe.seed,
    trainQuestions,
    coldStartChunks: recipe.coldStart.type === 'none' ? 0 : recipe.coldStart.chunks,
    stages: planStages(recipe.stages),
    rollout: recipe.rollout,
    evaluation: {
      samples: recipe.evaluation.samples,
      questions: Math.min(heldOutQuestions, recipe.evaluation.limit ?? heldOutQuestions),
      questionsPerBatch,
      concurrentBatches,
      everyIterations: recipe.evaluation.everyIterations,
    },
    iterationsPerHistory,
  };
}
