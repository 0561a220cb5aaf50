/** Changes the recipe of a run that is at rest; the change, with both values and where it took effect, stays on record. */
import { changedFields, checkChangeable, checkStages } from '../../shared/config/recipe-change.ts';
import { resolveRecipe } from '../../shared/config/resolve-recipe.ts';
import type { RunPosition } from '../../shared/domain/plan.ts';
import { DomainError } from '../../shared/errors.ts';
import { makeRunPlan } from '../../shared/plan/run-plan.ts';
import { readRun } from '../run-context.ts';
import type { Store } from '../store/connect.ts';
import type { RecipeChange, RunDocument } from '../store/documents.ts';

export interface RecipeRevision {
  recipe: RunDocument['recipe'];
  plan: RunDocument['plan'];
  change: RecipeChange;
}

/** What `set` makes of the run, without storing it. Throws `InvalidConfig`. */
export function reviseRecipe(
  run: RunDocument,
  from: RunPosition | null,
  set: readonly string[],
  codeVersion: string,
): RecipeRevision {
  const recipe = resolveRecipe(run.recipe, `the recipe of run '${run._id}'`, set);
  const fields = changedFields(run.recipe, recipe);
  checkChangeable(run._id, fields);
  const sizes = { trainQuestions: run.datasets.train.count, heldOutQuestions: run.datasets.heldOut.count };
  const { queues, activities, dashboardUrl } = run.plan;
  const plan = {
    ...makeRunPlan({ recipe, ...sizes, queues, activities }),
    ...(dashboardUrl === undefined ? {} : { dashboardUrl }),
  };
  checkStages(run._id, run.plan, plan, from?.iterations ?? []);
  return { recipe, plan, change: { at: new Date(), fromVersion: from?.policyVersion ?? null, codeVersion, fields } };
}

/** The run as it is stored then. Throws `RecordConflict` where somebody else has changed the recipe in between. */
export async function storeRevision(
  store: Store,
  run: RunDocument,
  { recipe, plan, change }: RecipeRevision,
): Promise<RunDocument> {
  const count = run.changes?.length ?? 0;
  const { matchedCount } = await store.runs.updateOne(
    { _id: run._id, [`changes.${count}`]: { $exists: false } },
    { $set: { recipe, plan }, $push: { changes: change } },
  );
  if (matchedCount === 1) return readRun(store, run._id);
  throw new DomainError(
    'RecordConflict',
    `the recipe of run '${run._id}' was changed by another command at the same time: look with npx metaagentx inspect ${run._id}, then try again`,
    { runId: run._id },
  );
}
