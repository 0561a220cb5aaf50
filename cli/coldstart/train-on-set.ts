/** A set as the cold start of a recipe. */
import type { SftSetDocument } from '../../activities/store/documents.ts';
import type { Recipe, RecipeInput } from '../../shared/config/recipe.ts';
import { DomainError } from '../../shared/errors.ts';

export interface Schedule {
  epochs: number;
  batchSize: number;
  learningRate: number;
  chunks: number;
}

/** Throws `InvalidInput` where the set is empty. */
export function coldStartOf(
  { _id, examples }: Pick<SftSetDocument, '_id' | 'examples'>,
  { epochs, batchSize, learningRate, chunks }: Schedule,
): NonNullable<RecipeInput['coldStart']> {
  const count = examples.designer + examples.executor;
  if (count === 0) throw new DomainError('InvalidInput', `set '${_id}' has no examples`, { setId: _id });
  const steps = Math.max(Math.ceil((epochs * count) / batchSize), chunks);
  return { type: 'set', set: _id, steps, batchSize: Math.min(batchSize, count), learningRate, chunks };
}

/** The prompts that are learned must be those that will be asked. Throws `InvalidConfig`. */
export function checkForm({ _id, promptForm }: SftSetDocument, { prompts: { form } }: Recipe): void {
  if (form === promptForm) return;
  throw new DomainError(
    'InvalidConfig',
    `set '${_id}' holds ${promptForm} prompts and the recipe asks with ${form} ones: use --set prompts.form=${promptForm}, or collect with --set prompts.form=${form}`,
    { form, promptForm },
  );
}
