/** Recipe + overrides → checked recipe. Cross-field rules live here, so that a run never starts half right. */
import { checkScript } from '../script/check.ts';
import { DomainError } from '../errors.ts';
import { applyOverrides, parseOverride } from './overrides.ts';
import { parseConfig } from './parse.ts';
import { recipeSchema } from './recipe.ts';
import type { Recipe } from './recipe.ts';

/** Throws `InvalidConfig` naming every wrong field. `where` names the recipe in messages. */
export function resolveRecipe(input: unknown, where: string, overrides: readonly string[] = []): Recipe {
  const changed = applyOverrides(input, overrides.map(parseOverride));
  const recipe = parseConfig(
    recipeSchema,
    changed,
    overrides.length === 0 ? where : `${where} with ${overrides.join(', ')}`,
  );
  checkAcrossFields(recipe, where);
  return recipe;
}

function checkAcrossFields(recipe: Recipe, where: string): void {
  const refuse = (message: string): never => {
    throw new DomainError('InvalidConfig', `${where} is not valid:\n  ${message}`, { where });
  };
  const { scheme, count } = recipe.stages;
  if (scheme !== 'stagewise' && count > 1) {
    refuse(
      `stages.count: the scheme '${scheme}' has one stage (seen: ${count}); set stages.count=1 and give all iterations to stages.iterationsPerStage`,
    );
  }
  if (recipe.rollout.designsPerQuestion === 1 && recipe.credit.designer === 'leave-one-out') {
    refuse('credit.designer: leave-one-out needs at least two designs a question (rollout.designsPerQuestion)');
  }
  const { gradientShards, epochs, miniBatches } = recipe.update;
  if (gradientShards > 1 && epochs * miniBatches > 1) {
    refuse(
      `update.gradientShards: ${gradientShards} shards need an update of one step (seen: ${epochs} epochs of ${miniBatches} mini-batches); set update.epochs=1 and update.miniBatches=1`,
    );
  }
  if (gradientShards > 1 && scheme === 'coupled' && recipe.policy.layout === 'split') {
    refuse('update.gradientShards: an update of two parts cannot be divided; set update.gradientShards=1');
  }
  if (recipe.designs.script !== undefined) checkGivenScript(recipe, recipe.designs.script, refuse);
  if (recipe.coldStart.type === 'toy' && recipe.prompts.form !== 'terse') {
    refuse("prompts.form: the toy cold start teaches the terse form only; set prompts.form='terse'");
  }
  if (recipe.coldStart.type !== 'none' && recipe.coldStart.steps < recipe.coldStart.chunks) {
    refuse(`coldStart.chunks: ${recipe.coldStart.chunks} chunks need at least as many steps`);
  }
}

/** A given script has no trajectory: nobody can learn from it but those who execute it. */
function checkGivenScript(recipe: Recipe, script: string, refuse: (message: string) => never): void {
  if (recipe.stages.scheme !== 'executor-only') {
    refuse(
      `stages.scheme: with a given script there is no designer to train (seen: '${recipe.stages.scheme}'); set stages.scheme=executor-only`,
    );
  }
  const [problem] = checkScript(script, { limits: recipe.limits, tools: recipe.designs.tools }).problems;
  if (problem !== undefined) refuse(`designs.script: line ${problem.line ?? 1}: ${problem.message}`);
}
