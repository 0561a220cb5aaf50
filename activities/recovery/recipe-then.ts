/** A run's recipe and learning rate as they were when a version was made. */
import { applyOverrides } from '../../shared/config/overrides.ts';
import type { Recipe } from '../../shared/config/recipe.ts';
import type { PolicyDocument, RunDocument } from '../store/documents.ts';

/** Takes back, newest first, the changes that came after the version's base. */
export function recipeThen({ recipe, changes = [] }: Pick<RunDocument, 'recipe' | 'changes'>, version: number): Recipe {
  const later = changes.filter(({ fromVersion }) => fromVersion !== null && fromVersion >= version).reverse();
  const undo = later.flatMap(({ fields }) =>
    fields.map(({ path, before }) => ({ path: path.split('.'), value: before ?? undefined })),
  );
  return applyOverrides(recipe, undo) as Recipe;
}

/** By which decisions had multiplied the learning rate when the version was made. */
export function rateFactorThen(
  { _id: runId, decisions = [] }: Pick<RunDocument, '_id' | 'decisions'>,
  { madeBy }: Pick<PolicyDocument, 'madeBy'>,
): number {
  const chunk = /^cold-start-(\d+)$/.exec(madeBy)?.[1];
  const counts = (about: string) =>
    chunk === undefined
      ? about.startsWith(`${runId}/`) && about <= madeBy
      : about === `chunk ${chunk} of the cold start`;
  return decisions.reduce(
    (product, { about, decision }) =>
      decision.choice === 'lower-rate' && counts(about) ? product * decision.factor : product,
    1,
  );
}
