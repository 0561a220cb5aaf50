import { describe, expect, it } from 'vitest';
import { isDomainError } from '../errors.ts';
import type { RecipeInput } from './recipe.ts';
import { resolveRecipe } from './resolve-recipe.ts';
import { resolveTemporalConfig } from './temporal-config.ts';

const recipe = (): RecipeInput => ({
  name: 'mine',
  description: 'A recipe of the tests.',
  policy: { init: { type: 'checkpoint', directory: 'model' } },
  questions: { train: { type: 'toy', count: 4 }, heldOut: { type: 'toy', count: 2 } },
  prompts: { form: 'documented' },
});

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isDomainError(error, 'InvalidConfig')) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('--set', () => {
  it('changes fields by path, as JSON where it is JSON, and the last one wins', () => {
    const changed = resolveRecipe(recipe(), 'mine', [
      'update.learningRate=1e-4',
      'stages.scheme=stagewise',
      'seed=1',
      'seed=2',
      'sampling.designer.stopStrings=["END"]',
    ]);
    expect(changed.update.learningRate).toBe(1e-4);
    expect(changed.seed).toBe(2);
    expect(changed.sampling.designer.stopStrings).toEqual(['END']);
    // A changed field leaves its neighbours at their defaults.
    expect(changed.sampling.designer.maxTokens).toBe(8192);
  });

  it.each([
    ['update.learningRat=1e-4', /update: Unrecognized key: "learningRat"/],
    ['nothing.here=1', /\(top level\): Unrecognized key: "nothing"/],
    ['update.learningRate=fast', /update\.learningRate: .*expected number.*\(seen: "fast"\)/],
    ['update.learningRate=0', /update\.learningRate: .*>0 \(seen: 0\)/],
    ['rollout.designsPerQuestion=2.5', /rollout\.designsPerQuestion: .*int.*\(seen: 2\.5\)/],
    ['stages.scheme=random', /stages\.scheme: Invalid option.*"coupled".*\(seen: "random"\)/],
    ['questions.train.path=x', /questions\.train: Unrecognized key: "path"/],
    ['stages.scheme=coupled', /stages\.count: the scheme 'coupled' has one stage \(seen: 2\)/],
    ['update.learningRate', /is not path=value/],
    ['__proto__.x=1', /is not path=value/],
  ])('%s is refused', (set, message) => {
    expect(refusal(() => resolveRecipe(recipe(), 'mine', [set]))).toMatch(message);
  });

  it('does not change what was passed in', () => {
    const input = recipe();
    resolveRecipe(input, 'mine', ['seed=7']);
    expect(input).toEqual(recipe());
  });
});

describe('cross-field rules', () => {
  it('refuses what one question cannot give', () => {
    const sets = ['rollout.designsPerQuestion=1', 'credit.designer=leave-one-out'];
    expect(refusal(() => resolveRecipe(recipe(), 'mine', sets))).toMatch(/at least two designs/);
  });

  it('names every wrong field at once', () => {
    const sets = ['seed=-1', 'update.clipLow=3'];
    const message = refusal(() => resolveRecipe(recipe(), 'mine', sets));
    expect(message).toMatch(/seed: /);
    expect(message).toMatch(/update\.clipLow: /);
  });
});

describe('temporal.config.ts', () => {
  it('is complete when empty', () => {
    const config = resolveTemporalConfig({});
    expect(config.queues).toEqual({
      control: 'metaagent-control',
      gpu: 'metaagent-gpu',
      sandbox: 'metaagent-sandbox',
    });
    expect(config.activities.rollout.heartbeatMs).toBeGreaterThan(0);
  });

  it.each([
    [{ workers: { gpuSlot: 1 } }, /workers: Unrecognized key: "gpuSlot"/],
    [{ engine: { trainThreads: 0 } }, /engine\.trainThreads: /],
    [{ activities: { train: { heartbeatMs: 'soon' } } }, /activities\.train\.heartbeatMs: .*\(seen: "soon"\)/],
  ])('%j is refused', (input, message) => {
    expect(refusal(() => resolveTemporalConfig(input))).toMatch(message);
  });
});

it('refuses to divide an update that cannot be divided', () => {
  const refused = (...set: string[]) =>
    refusal(() => resolveRecipe(recipe(), 'mine', ['update.gradientShards=2', ...set]));
  expect(refused('update.miniBatches=4')).toContain('an update of one step (seen: 1 epochs of 4 mini-batches)');
  expect(refused('update.epochs=2')).toContain('set update.epochs=1');
  expect(refused('policy.layout=split', 'stages.scheme=coupled', 'stages.count=1')).toContain(
    'an update of two parts cannot be divided',
  );
  expect(resolveRecipe(recipe(), 'mine', ['update.gradientShards=2']).update.gradientShards).toBe(2);
});
