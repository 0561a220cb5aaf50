/** Every shipped recipe loads, and the paper's settings are the paper's (arXiv 2605.14212). */
import { expect, it } from 'vitest';
import { loadRecipe, recipeNames } from '../cli/recipes.ts';

it.each(await recipeNames())('%s is valid and carries its own name', async (name) => {
  expect((await loadRecipe({ recipe: name })).name).toBe(name);
});

it('metaagentx-qwen3-8b has the published settings', async () => {
  const recipe = await loadRecipe({ recipe: 'metaagentx-qwen3-8b' });
  expect(recipe.rollout).toMatchObject({ designsPerQuestion: 4, executionsPerDesign: 4, questionsPerIteration: 8 });
  expect(recipe.stages).toMatchObject({ scheme: 'stagewise', first: 'executor', iterationsPerStage: 30 });
  expect(recipe.update).toMatchObject({
    learningRate: 5e-6,
    clipLow: 0.2,
    clipHigh: 0.2,
    klCoef: 0,
    entropyCoef: 0,
    epochs: 1,
    dropZeroAdvantage: false,
  });
  expect(recipe.credit).toEqual({ designer: 'std', executor: { group: 'question', normalise: 'std' } });
  expect(recipe.policy.layout).toBe('shared');
  for (const role of ['designer', 'executor'] as const) {
    expect(recipe.sampling[role]).toMatchObject({ temperature: 1, topP: 1, topK: 0, maxTokens: 8192 });
  }
});
