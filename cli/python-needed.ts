/** Refuses a run that needs the Python sandbox where its workers would run here and there is none to be had. */
import { openPythonSandbox } from '../activities/runtime/python/open-sandbox.ts';
import type { Recipe } from '../shared/config/recipe.ts';
import type { RunDatasets } from './datasets.ts';
import { readConfig } from './settings.ts';

/** What of the run needs it, or null. */
export function pythonUse({ designs }: Pick<Recipe, 'designs'>, { train, heldOut }: RunDatasets): string | null {
  if (designs.tools.includes('python')) return "the recipe grants the tool 'python'";
  const isCode = [...train.questions, ...heldOut.questions].some(({ verifier }) => verifier.type === 'code');
  return isCode ? 'its questions are judged by running programs' : null;
}

/** Throws `SandboxUnavailable`, with what to install. */
export async function checkPythonUse(recipe: Recipe, datasets: RunDatasets): Promise<string | null> {
  const use = pythonUse(recipe, datasets);
  if (use === null) return null;
  const sandbox = await openPythonSandbox({ minTier: readConfig().python.minTier, workers: 1 });
  await sandbox.close();
  return `${use}: Python sandbox tier ${sandbox.tier}`;
}
