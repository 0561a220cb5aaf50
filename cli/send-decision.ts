/** Sends a person's decision to a run that waits for one; what the run would refuse is refused here, by name. */
import type { Client } from '@temporalio/client';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { readRun } from '../activities/run-context.ts';
import type { Store } from '../activities/store/connect.ts';
import { checkDecision } from '../shared/domain/decision.ts';
import type { Decision, OpenQuestion } from '../shared/domain/decision.ts';
import { DomainError } from '../shared/errors.ts';
import { queryProgress } from './run-view.ts';
import { workflowStatus } from './workflow-status.ts';

/** Throws `RunNotFound`, or `InvalidInput` where the run does not wait for such a decision. */
export async function sendDecision(
  store: Store,
  client: Client,
  runId: string,
  wanted: unknown,
): Promise<{ decision: Decision; question: OpenQuestion }> {
  const run = await readRun(store, runId);
  const refuse = (message: string): never => {
    throw new DomainError('InvalidInput', message, { runId });
  };
  const status = await workflowStatus(client, runId);
  if (status !== 'RUNNING') {
    refuse(`run '${runId}' is not running (run: ${run.status}, workflow: ${status.toLowerCase()}): nothing to decide`);
  }
  const progress = await queryProgress(client, runId);
  if (progress === null) refuse(`no worker answers for run '${runId}'. Start workers with: npx metaagentx up`);
  const question = progress!.question ?? refuse(`run '${runId}' waits for no decision (it is ${progress!.phase})`);
  const decision = checkDecision(wanted, question);
  try {
    await client.workflow.getHandle(runId).executeUpdate<string, [Decision]>('decide', { args: [decision] });
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
      refuse(error.cause.message);
    }
    throw error;
  }
  return { decision, question };
}
