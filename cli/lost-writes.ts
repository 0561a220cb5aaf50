/**
 * What the store has lost of a run, and the run without it. Losses show in gaps, or in a workflow that is ahead of the
 * store; the run is rolled back to the newest version from which everything is there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { readPolicy } from '../activities/policy/read-policy.ts';
import { rollBack } from '../activities/recovery/roll-back.ts';
import { surveyRun } from '../activities/recovery/survey.ts';
import type { Survey } from '../activities/recovery/survey.ts';
import { recordAfter } from '../activities/recovery/undo-record.ts';
import { readRun } from '../activities/run-context.ts';
import type { Store } from '../activities/store/connect.ts';
import { policyId } from '../shared/domain/ids.ts';
import type { RunPosition } from '../shared/domain/plan.ts';
import { DomainError, isDomainError } from '../shared/errors.ts';
import { searchAttributes } from '../workflows/search-attributes.ts';
import { describeWorkflow, terminateWorkflow } from './workflow-status.ts';

/** What the server says of a run's workflow. */
export interface WorkflowState {
  /** `RUNNING`, a closed status, or `MISSING`. */
  status: string;
  /** Id of a version that the workflow says is committed and the store does not have. */
  ahead: string | null;
}

export interface Findings {
  /** Where to go on; null: from the beginning. */
  from: RunPosition | null;
  /** In words; empty for a run that was merely interrupted. */
  losses: string[];
  survey: Survey;
}

export async function workflowState(store: Store, client: Client, runId: string): Promise<WorkflowState> {
  const workflow = await describeWorkflow(client, runId);
  const version = workflow?.typedSearchAttributes.get(searchAttributes.policyVersion);
  const id = version === undefined ? null : policyId(runId, version);
  const isThere = id === null || (await store.policies.findOne({ _id: id }, { projection: { _id: 1 } })) !== null;
  return { status: workflow?.status.name ?? 'MISSING', ahead: isThere ? null : id };
}

/** Looks at everything that the run has stored, and changes nothing. */
export async function findLosses(store: Store, runId: string, ahead: string | null): Promise<Findings> {
  const survey = await surveyRun(store, runId);
  const losses = [...survey.losses, ...(ahead === null ? [] : [`${ahead}, which the workflow had committed`])];
  return { from: survey.position, losses, survey };
}

/**
 * The version to go on from must be readable, what adapters are put on and moments included: throws `CheckpointCorrupt` or
 * `CheckpointMissing` with the repair where it is not.
 */
export async function checkWeights(store: Store, runId: string, from: RunPosition | null): Promise<void> {
  if (from === null) return;
  const { policyVersion } = from;
  const { parts } = await readPolicy(store, runId, policyVersion);
  const digests = Object.values(parts).flatMap(({ weights, base, optimizer }) => [weights, base, optimizer]);
  for (const digest of digests) {
    if (typeof digest === 'string') await store.blobs.get(digest).catch(toRepair(runId, policyVersion));
  }
}

const toRepair = (runId: string, version: number) => (error: unknown) => {
  if (!isDomainError(error, 'CheckpointMissing') && !isDomainError(error, 'CheckpointCorrupt')) throw error;
  const what = error.name === 'CheckpointCorrupt' ? 'damaged' : 'not in the store';
  throw new DomainError(
    error.name,
    `run '${runId}' would go on from v${version}, of which blob ${String(error.data.digest)} is ${what}. Make it again, then resume: npx metaagentx repair ${runId}@v${version}`,
    { ...error.data, runId, version },
    { cause: error },
  );
};

/** Records what was lost and takes out what hangs in the air. Nothing may run that writes to the run. */
export async function undoLosses(store: Store, runId: string, { from, losses, survey }: Findings): Promise<void> {
  if (losses.length === 0) return;
  const rollback = { at: new Date(), to: from?.policyVersion ?? null, losses };
  await store.runs.updateOne(
    { _id: runId },
    {
      $push: { rollbacks: rollback },
      $set: { status: 'running', ...recordAfter(await readRun(store, runId), rollback.to, survey.iterations) },
      $unset: { finishedAt: 1, failure: 1 },
    },
  );
  await rollBack(store, runId, survey);
}

const childrenEndWithinMs = 20_000;

/** Children of a workflow that was terminated end a moment after it; their ids are free only then. */
export async function untilChildrenEnd(client: Client, workflowId: string): Promise<void> {
  const query = `RootWorkflowId = "${workflowId}" AND ExecutionStatus = "Running"`;
  const deadline = Date.now() + childrenEndWithinMs;
  for (;;) {
    const open: string[] = [];
    for await (const child of client.workflow.list({ query }))
      if (child.workflowId !== workflowId) open.push(child.workflowId);
    if (open.length === 0) return;
    if (Date.now() > deadline) {
      // Left alone by a parent that is gone: nobody else would end them.
      await Promise.all(open.map((id) => terminateWorkflow(client, id, 'its run starts anew')));
      return;
    }
    await sleep(200);
  }
}
