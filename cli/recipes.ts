/** Finds a recipe by name (a file of `runs/`) or by path, applies the command line's changes, and checks it. */
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DomainError } from '../shared/errors.ts';
import { resolveRecipe } from '../shared/config/resolve-recipe.ts';
import { systemOf } from '../shared/systems/registry.ts';
import type { Recipe } from '../shared/config/recipe.ts';
import { readDefinitionFile } from './definition-file.ts';

const folder = new URL('../runs/', import.meta.url);

/** Names of the shipped recipes, in order. */
export async function recipeNames(): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

export interface RecipeRequest {
  /** Name in `runs/`, or path of a .ts, .mts, .js, .mjs or .json file. */
  recipe: string;
  seed?: number;
  /** Name of a trained system whose changes come before those of `set`. */
  system?: string;
  /** `path=value` changes, in order. */
  set?: readonly string[];
}

/** Throws `InvalidConfig` naming every wrong field, or `InvalidInput` where there is no such recipe. */
export async function loadRecipe({ recipe, seed, system, set = [] }: RecipeRequest): Promise<Recipe> {
  const { input, where } = await readRecipe(recipe);
  const own = system === undefined ? [] : changesOf(system, resolveRecipe(input, where));
  const changes = [...own, ...set, ...(seed === undefined ? [] : [`seed=${seed}`])];
  return withFullPaths(resolveRecipe(input, where, changes));
}

/** Workers need not run in the folder that a path was written for. */
function withFullPaths(recipe: Recipe): Recipe {
  const { init } = recipe.policy;
  if (init.type !== 'checkpoint') return recipe;
  return { ...recipe, policy: { ...recipe.policy, init: { ...init, directory: resolve(init.directory) } } };
}

/** Throws `InvalidInput` where the system is not a training. */
function changesOf(name: string, recipe: Recipe): readonly string[] {
  const system = systemOf(name);
  if (system.kind === 'trained') return system.changes(recipe);
  if (system.name === 'metaagentx') return [];
  throw new DomainError(
    'InvalidInput',
    `system '${name}' is not a training: evaluate a run with \`npx metaagentx eval RUN@latest --system ${name}\``,
    { name },
  );
}

async function readRecipe(nameOrFile: string): Promise<{ input: unknown; where: string }> {
  if (/^[a-z0-9][a-z0-9-]*$/.test(nameOrFile)) {
    const names = await recipeNames();
    if (names.includes(nameOrFile)) {
      const shipped = (await import(new URL(`${nameOrFile}.ts`, folder).href)) as { default: unknown };
      return { input: shipped.default, where: `recipe '${nameOrFile}'` };
    }
    throw new DomainError(
      'InvalidInput',
      `there is no recipe '${nameOrFile}': expected one of ${names.join(', ')}, or the path of a recipe file`,
      { recipe: nameOrFile },
    );
  }
  return { input: await readDefinitionFile('recipe', nameOrFile), where: `recipe ${nameOrFile}` };
}
