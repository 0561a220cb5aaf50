/**
 * Goes on with a run: attaches where its workflow still runs; otherwise starts the workflow anew from where the database
 * says the run stands. Only committed things count: versions, iterations and evaluations that have their documents.
 */
import type { Client } from '@temporalio/client';
import { readRun } from '../activities/run-context.ts';
import type { Store } from '../activities/store/connect.ts';
import { positionOf } from '../activities/run-position.ts';
import type { RunPosition } from '../shared/domain/plan.ts';
import { startWorkflow } from './start-run.ts';

export type ResumeOutcome =
  /** The workflow runs; nothing was started. */
  | { how: 'attached' }
  /** The run has ended as planned; nothing was started. */
  | { how: 'finished' }
  /** A new execution was started; `from` null means from the beginning. */
  | { how: 'restarted'; from: RunPosition | null; was: string };

/** What the server says of the run's workflow: `RUNNING`, a closed status, or `MISSING`. */
export async function workflowStatus(client: Client, workflowId: string): Promise<string> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return 'MISSING';
    throw error;
  }
}

/** Throws `RunNotFound`. */
export async function resumeRun(
  store: Store,
  client: Client,
  runId: string,
  dashboardUrl?: string | null,
): Promise<ResumeOutcome> {
  const run = await readRun(store, runId);
  const was = await workflowStatus(client, runId);
  if (was === 'RUNNING') return { how: 'attached' };
  if (run.status === 'finished') return { how: 'finished' };
  const from = await positionOf(store, runId);
  await startWorkflow(client, run, from, dashboardUrl);
  return { how: 'restarted', from, was };
}
