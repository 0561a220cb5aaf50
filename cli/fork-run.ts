/**
 * A new run from a version of another one: the same recipe with changes, the same questions, that version's weights and
 * moments. It shares blobs with its origin and nothing else, so neither can hurt the other.
 */
import type { Client } from '@temporalio/client';
import { keptMoments } from '../activities/policy/inherited-policy.ts';
import { readPolicy } from '../activities/policy/read-policy.ts';
import { readRun } from '../activities/run-context.ts';
import type { Store } from '../activities/store/connect.ts';
import type { RunDocument } from '../activities/store/documents.ts';
import { parseOverride } from '../shared/config/overrides.ts';
import { resolveRecipe } from '../shared/config/resolve-recipe.ts';
import type { TemporalConfig } from '../shared/config/temporal-config.ts';
import { checkRunId } from '../shared/domain/ids.ts';
import { loadDatasets } from './datasets.ts';
import { pinPolicy } from './measure/pinned-policy.ts';
import { checkFree, createRun, recordRun, startWorkflow, taken } from './start-run.ts';

export interface ForkRequest {
  /** `RUN@vN` or `RUN@latest`. */
  from: string;
  runId: string;
  set: readonly string[];
  config: TemporalConfig;
  /** For links from the Temporal UI. */
  dashboardUrl?: string | null;
}

/** Throws `InvalidInput`, `InvalidConfig`, `RunNotFound` or `CheckpointMissing` before anything is written. */
export async function forkRun(
  store: Store,
  client: Client,
  { from, runId, set, config, dashboardUrl }: ForkRequest,
): Promise<NonNullable<RunDocument['forkedFrom']>> {
  checkRunId(runId);
  const { run, policyVersion: version } = await pinPolicy(store, from);
  const origin = run._id;
  const init = { type: 'policy', runId: origin, version, moments: 'kept' } as const;
  const written = { ...run.recipe, policy: { ...run.recipe.policy, init }, coldStart: { type: 'none' } };
  const recipe = resolveRecipe(written, `the recipe of run '${origin}'`, set);
  if (recipe.policy.init.type === 'policy' && recipe.policy.init.moments === 'kept') {
    const policy = await readPolicy(store, origin, version);
    for (const part of Object.values(policy.parts)) keptMoments(policy, part);
  }
  await checkFree(store, client, runId);
  const forkedFrom = { runId: origin, version, set: [...set] };
  const request = { runId, recipe, config, forkedFrom };
  const asksOthers = set.some((text) => parseOverride(text).path[0] === 'questions');
  const { inserted } = asksOthers
    ? await createRun(store, { ...request, datasets: await loadDatasets(recipe) })
    : await recordRun(store, { ...request, datasets: run.datasets });
  if (!inserted) throw taken(runId);
  await startWorkflow(client, await readRun(store, runId), null, dashboardUrl);
  return forkedFrom;
}
