/** A run's recipe and learning rate as they were when a version was made. */
import { applyOverrides } from '../../shared/config/overrides.ts';
import type { Recipe } from '../../shared/config/recipe.ts';
import { productOf } from '../run-position.ts';
import type { PolicyDocument, RunDocument } from '../store/documents.ts';

/** Takes back, newest first, the changes that came after the version's base. */
export function recipeThen({ recipe, changes = [] }: Pick<RunDocument, 'recipe' | 'changes'>, version: number): Recipe {
  const later = changes.filter(({ fromVersion }) => fromVersion !== null && fromVersion >= version).reverse();
  const undo = later.flatMap(({ fields }) =>
    fields.map(({ path, before }) => ({ path: path.split('.'), value: before ?? undefined })),
  );
  return applyOverrides(recipe, undo) as Recipe;
}

/** Stage and iteration by number: the digits of an id have a least width only, so text does not say the order. */
const placeOf = (iteration: string) => /\/stage-(\d+)\/iter-(\d+)$/.exec(iteration)?.slice(1).map(Number) ?? [];

function isUpTo(iteration: string, last: string): boolean {
  const [stage = 0, number = 0] = placeOf(iteration);
  const [lastStage = 0, lastNumber = 0] = placeOf(last);
  return stage < lastStage || (stage === lastStage && number <= lastNumber);
}

/**
 * By which decisions had multiplied the learning rate when the version was made. A chunk that was tried again by another
 * execution of the workflow began at the recipe's rate again.
 */
export function rateFactorThen(
  { _id: runId, decisions = [] }: Pick<RunDocument, '_id' | 'decisions'>,
  { madeBy }: Pick<PolicyDocument, 'madeBy'>,
): number {
  const chunk = /^cold-start-(\d+)$/.exec(madeBy)?.[1];
  const standing = decisions.filter(({ undone }) => undone !== true);
  return productOf(
    chunk === undefined
      ? standing.filter(({ about }) => about.startsWith(`${runId}/`) && isUpTo(about, madeBy))
      : ofLastExecution(standing.filter(({ about }) => about === `chunk ${chunk} of the cold start`)),
  );
}

/** A decision's id is its execution's with a number. */
const ofLastExecution = <Made extends { id: string }>(decisions: readonly Made[]): Made[] => {
  const executionOf = ({ id }: Made) => id.replace(/#\d+$/, '');
  return decisions.filter((decision) => executionOf(decision) === executionOf(decisions.at(-1)!));
};
