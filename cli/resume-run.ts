/**
 * Goes on with a run: attaches where its workflow still runs; otherwise starts the workflow anew from where the database
 * says the run stands. Only whole things count. Where the store has lost writes, which shows in gaps or in a workflow that
 * is ahead of it, the run is first rolled back to the newest version from which everything is there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { readRun } from '../activities/run-context.ts';
import { readPolicy } from '../activities/policy/read-policy.ts';
import { reviseRecipe, storeRevision } from '../activities/recovery/change-recipe.ts';
import { rollBack } from '../activities/recovery/roll-back.ts';
import { surveyRun } from '../activities/recovery/survey.ts';
import type { Store } from '../activities/store/connect.ts';
import type { FieldChange } from '../shared/config/recipe-change.ts';
import { policyId } from '../shared/domain/ids.ts';
import type { RunPosition } from '../shared/domain/plan.ts';
import { DomainError } from '../shared/errors.ts';
import { searchAttributes } from '../workflows/search-attributes.ts';
import { codeVersion } from './settings.ts';
import { startWorkflow } from './start-run.ts';

export type ResumeOutcome =
  /** The workflow runs; nothing was started. */
  | { how: 'attached' }
  /** The run has ended as planned; nothing was started. */
  | { how: 'finished' }
  /** A new execution was started; `from` null means from the beginning. `losses`: what the store had lost. */
  | { how: 'restarted'; from: RunPosition | null; was: string; losses: string[]; changes: FieldChange[] };

/** Null where the server does not know the workflow. */
async function describe(client: Client, workflowId: string): Promise<WorkflowExecutionDescription | null> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return null;
    throw error;
  }
}

/** What the server says of the run's workflow: `RUNNING`, a closed status, or `MISSING`. */
export async function workflowStatus(client: Client, workflowId: string): Promise<string> {
  return (await describe(client, workflowId))?.status.name ?? 'MISSING';
}

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
  const workflow = await describe(client, runId);
  const was = workflow?.status.name ?? 'MISSING';
  const ahead = await versionNotStored(store, runId, workflow);
  if (was === 'RUNNING' && set.length > 0) throw stillRunning(runId);
  if (was === 'RUNNING' && ahead === null) return { how: 'attached' };
  const survey = await surveyRun(store, runId);
  const losses = [...survey.losses, ...(ahead === null ? [] : [`${ahead}, which the workflow had committed`])];
  if (run.status === 'finished' && losses.length === 0 && set.length === 0) return { how: 'finished' };
  const from = survey.position;
  // All that can be refused is refused before anything is changed.
  const revision = set.length === 0 ? null : reviseRecipe(run, from, set, await codeVersion());
  if (from !== null) await checkWeights(store, runId, from.policyVersion);
  if (was === 'RUNNING') await client.workflow.getHandle(runId).terminate(`the store has lost ${ahead}`);
  await untilChildrenEnd(client, runId);
  if (losses.length > 0) {
    const rollback = { at: new Date(), to: from?.policyVersion ?? null, losses };
    await store.runs.updateOne({ _id: runId }, { $push: { rollbacks: rollback } });
    await rollBack(store, runId, survey);
  }
  const next = revision === null ? run : await storeRevision(store, run, revision);
  await startWorkflow(client, next, from, dashboardUrl);
  return { how: 'restarted', from, was, losses, changes: revision?.change.fields ?? [] };
}

const stillRunning = (runId: string) =>
  new DomainError(
    'InvalidInput',
    `run '${runId}' is running, and its recipe can only change while it rests. Stop it first: npx metaagentx stop ${runId}`,
    { runId },
  );

/** A version that the workflow says is committed and the store does not have. */
async function versionNotStored(
  store: Store,
  runId: string,
  workflow: WorkflowExecutionDescription | null,
): Promise<string | null> {
  const version = workflow?.typedSearchAttributes.get(searchAttributes.policyVersion);
  if (version === undefined) return null;
  const id = policyId(runId, version);
  return (await store.policies.findOne({ _id: id }, { projection: { _id: 1 } })) === null ? id : null;
}

/** The version to go on from must be readable, moments included; a damaged one is named with its repair. */
async function checkWeights(store: Store, runId: string, version: number): Promise<void> {
  const { parts } = await readPolicy(store, runId, version);
  for (const { weights, optimizer } of Object.values(parts)) {
    await store.blobs.get(weights);
    if (optimizer !== null) await store.blobs.get(optimizer);
  }
}

const childrenEndWithinMs = 20_000;

/** Children of a terminated run end a moment after it; their ids are free only then. */
async function untilChildrenEnd(client: Client, runId: string): Promise<void> {
  const query = `RootWorkflowId = "${runId}" AND ExecutionStatus = "Running"`;
  const deadline = Date.now() + childrenEndWithinMs;
  for (;;) {
    const open: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query })) if (workflowId !== runId) open.push(workflowId);
    if (open.length === 0) return;
    if (Date.now() > deadline) {
      // Left alone by a parent that is gone: nobody else would end them.
      await Promise.all(open.map((id) => client.workflow.getHandle(id).terminate('its run starts anew')));
      return;
    }
    await sleep(200);
  }
}
