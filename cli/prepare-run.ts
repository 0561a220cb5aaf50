/** Everything of a start that can be refused without a server: recipe, run id, initial policy, questions, sandbox. */
import type { Recipe } from '../shared/config/recipe.ts';
import { checkRunId } from '../shared/domain/ids.ts';
import { DomainError } from '../shared/errors.ts';
import { loadDatasets, withQuestionFiles } from './datasets.ts';
import type { RunDatasets } from './datasets.ts';
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
  if (request.detach && request.withStack) {
    throw new DomainError(
      'InvalidInput',
      '--detach and --with-stack exclude each other: the workers of --with-stack end with this command. Start `npx metaagentx up` in another terminal and use --detach alone',
    );
  }
  const runId = request.runId === undefined ? null : checkRunId(request.runId);
  const written = await loadRecipe(request);
  const recipe = withQuestionFiles(written, request.questions, request.heldOut);
  const datasets = await loadDatasets(recipe, request.skipLong);
  // With workers elsewhere it is their machine that counts.
  const python = request.withStack ? await checkPythonUse(recipe, datasets) : null;
  const notes = [...datasets.notes, ...(python === null ? [] : [python])];
  return { runId, recipe, datasets: { ...datasets, notes }, skipLong: request.skipLong ?? false };
}
