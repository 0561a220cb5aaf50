import { describe, expect, it } from 'vitest';
import { resolveTemporalConfig } from './temporal-config.ts';
import { changedFields, checkChangeable, checkStages } from './recipe-change.ts';
import { resolveRecipe } from './resolve-recipe.ts';
import { makeRunPlan } from '../plan/run-plan.ts';

const written = {
  name: 'small',
  description: 'for this test',
  policy: { init: { type: 'checkpoint', directory: 'none' } },
  questions: { train: { type: 'toy', count: 32 }, heldOut: { type: 'toy', count: 4 } },
  prompts: { form: 'terse' },
  limits: { calls: 8 },
  stages: { iterationsPerStage: 2, count: 2 },
  update: { learningRate: 1e-3 },
};
const recipe = resolveRecipe(written, 'smoke');
const changes = (...set: string[]) => changedFields(recipe, resolveRecipe(recipe, 'smoke', set));
const planOf = (...set: string[]) =>
  makeRunPlan({
    recipe: resolveRecipe(recipe, 'smoke', set),
    trainQuestions: 32,
    heldOutQuestions: 4,
    ...resolveTemporalConfig({}),
  });

describe('changes of a recipe at a resume', () => {
  it('are the leaves that differ, with both values', () => {
    expect(changes('update.learningRate=1e-4', 'limits.calls=9', 'update.epochs=1')).toEqual([
      { path: 'limits.calls', before: 8, after: 9 },
      { path: 'update.learningRate', before: 1e-3, after: 1e-4 },
    ]);
    expect(changes('sampling.designer.stopStrings=["x"]')).toEqual([
      { path: 'sampling.designer.stopStrings', before: [], after: ['x'] },
    ]);
  });

  it('may say how the next iterations are made', () => {
    checkChangeable('r', changes('update.learningRate=1e-4', 'sampling.executor.temperature=0.9', 'stages.count=4'));
  });

  it('may not touch what stored documents were made with, by name', () => {
    const fixed = changes('seed=7', 'reward.answered=0.1', 'rollout.designsPerQuestion=3', 'update.epochs=2');
    expect(() => checkChangeable('r', fixed)).toThrow(
      /cannot go on with another reward\.answered, rollout\.designsPerQuestion, seed: .*fork r@latest/,
    );
    expect(() => checkChangeable('r', changes('update.epochs=1'))).toThrow(/changes nothing/);
  });

  it('may add stages and lengthen those that have not begun', () => {
    checkStages('r', planOf(), planOf('stages.count=3'), [2, 1]);
    checkStages('r', planOf(), planOf('stages.iterationsPerStage=5'), [0, 0]);
    expect(() => checkStages('r', planOf(), planOf('stages.iterationsPerStage=5'), [1, 0])).toThrow(
      /stage 1 .* begun with 2 iterations and would have 5 iterations/,
    );
    expect(() => checkStages('r', planOf(), planOf('stages.count=1'), [2, 1])).toThrow(/stage 2 .* no longer be there/);
  });
});
