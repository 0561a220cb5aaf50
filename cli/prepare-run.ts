/** Everything of a start that can be refused without a server: recipe, run id, initial policy, questions, sandbox. */
import type { Recipe } from '../shared/config/recipe.ts';
import { checkRunId } from '../shared/domain/ids.ts';
import { loadDatasets, withQuestionFiles } from './datasets.ts';
import type { RunDatasets } from './datasets.ts';
import { checkDetaching } from './detaching.ts';
import { checkPythonUse } from './python-needed.ts';
import { loadRecipe } from './recipes.ts';

export interface TrainingRequest {
  recipe: string;
  runId?: string;
  questions?: string;
  heldOut?: string;
  seed?: number;
  system?: string;
  set?: readonly string[];
  skipLong?: boolean;
  detach?: boolean;
  withStack?: boolean;
}

export interface PreparedRun {
  /** Null: derive it from the recipe's name. */
  runId: string | null;
  recipe: Recipe;
  datasets: RunDatasets;
  /** Whether questions that do not fit the policy's context are left out. */
  skipLong: boolean;
}

/** Throws `InvalidConfig` or `InvalidInput` with what to change, `SandboxUnavailable` with what to install. */
export async function prepareRun(request: TrainingRequest): Promise<PreparedRun> {
  checkDetaching(request);
  const runId = request.runId === undefined ? null : checkRunId(request.runId);
  const written = await loadRecipe(request);
  const recipe = withQuestionFiles(written, request.questions, request.heldOut);
  const datasets = await loadDatasets(recipe, request.skipLong);
  // With workers elsewhere it is their machine that counts.
  const python = request.withStack ? await checkPythonUse(recipe, datasets) : null;
  const notes = [...datasets.notes, ...(python === null ? [] : [python])];
  return { runId, recipe, datasets: { ...datasets, notes }, skipLong: request.skipLong ?? false };
}
