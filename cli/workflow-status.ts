/** What the Temporal server says of a workflow. */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';

/** Null where the server does not know the workflow. */
export async function describeWorkflow(
  client: Client,
  workflowId: string,
): Promise<WorkflowExecutionDescription | null> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return null;
    throw error;
  }
}

/** `RUNNING`, a closed status, or `MISSING`. */
export async function workflowStatus(client: Client, workflowId: string): Promise<string> {
  return (await describeWorkflow(client, workflowId))?.status.name ?? 'MISSING';
}
