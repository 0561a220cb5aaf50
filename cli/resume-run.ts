/**
 * Goes on with a run: attaches where its workflow still runs; otherwise starts the workflow anew from where the database
 * says the run stands. Only whole things count: where the store has lost writes, the run is first rolled back.
 */
import type { Client } from '@temporalio/client';
import { readRun } from '../activities/run-context.ts';
import { reviseRecipe, storeRevision } from '../activities/recovery/change-recipe.ts';
import { mendStages } from '../activities/recovery/stage-records.ts';
import type { Store } from '../activities/store/connect.ts';
import type { FieldChange } from '../shared/config/recipe-change.ts';
import type { RunPosition } from '../shared/domain/plan.ts';
import { DomainError } from '../shared/errors.ts';
import { checkWeights, findLosses, undoLosses, untilChildrenEnd, workflowState } from './lost-writes.ts';
import { codeVersion } from './settings.ts';
import { startWorkflow } from './start-run.ts';
import { terminateWorkflow } from './workflow-status.ts';

export type ResumeOutcome =
  /** The workflow runs; nothing was started. */
  | { how: 'attached' }
  /** The run has ended as planned; nothing was started. */
  | { how: 'finished' }
  /** A new execution was started; `from` null means from the beginning. `losses`: what the store had lost. */
  | { how: 'restarted'; from: RunPosition | null; was: string; losses: string[]; changes: FieldChange[] };

export interface ResumeOptions {
  /** Changes of the recipe, `path=value`, in force from here on. */
  set?: readonly string[];
  /** For links from the Temporal UI. */
  dashboardUrl?: string | null;
}

/**
 * Throws `RunNotFound`; `CheckpointCorrupt` and `CheckpointMissing` where weights have to be repaired first;
 * `InvalidConfig` for changes that a run cannot go on with.
 */
export async function resumeRun(
  store: Store,
  client: Client,
  runId: string,
  { set = [], dashboardUrl }: ResumeOptions = {},
): Promise<ResumeOutcome> {
  const run = await readRun(store, runId);
  if (run.recipe.policy.init.type === 'endpoint') throw notTrained(runId);
  const { status: was, ahead } = await workflowState(store, client, runId);
  if (was === 'RUNNING' && set.length > 0) throw stillRunning(runId);
  if (was === 'RUNNING' && ahead === null) return { how: 'attached' };
  const found = await findLosses(store, runId, ahead);
  const { from, losses } = found;
  if (run.status === 'finished' && losses.length === 0 && set.length === 0) {
    await mendStages(store, run, from);
    return { how: 'finished' };
  }
  // All that can be refused is refused before anything is changed.
  const revision = set.length === 0 ? null : reviseRecipe(run, from, set, await codeVersion());
  await checkWeights(store, runId, from);
  if (was === 'RUNNING') await terminateWorkflow(client, runId, `the store has lost ${ahead}`);
  await untilChildrenEnd(client, runId);
  await undoLosses(store, runId, found);
  const next = revision === null ? run : await storeRevision(store, run, revision);
  await mendStages(store, next, from);
  await startWorkflow(client, next, from, dashboardUrl);
  return { how: 'restarted', from, was, losses, changes: revision?.change.fields ?? [] };
}

const stillRunning = (runId: string) =>
  new DomainError(
    'InvalidInput',
    `run '${runId}' is running, and its recipe can only change while it rests. Stop it first: npx metaagentx stop ${runId}`,
    { runId },
  );

const notTrained = (runId: string) =>
  new DomainError(
    'InvalidInput',
    `'${runId}' answers with a model behind an endpoint and is not trained: there is nothing to resume. Use it: npx metaagentx eval ${runId}`,
    { runId },
  );
