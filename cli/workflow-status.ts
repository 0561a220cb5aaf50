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
    if (isNotFound(error)) return null;
    throw error;
  }
}

/** `RUNNING`, a closed status, or `MISSING`. */
export async function workflowStatus(client: Client, workflowId: string): Promise<string> {
  return (await describeWorkflow(client, workflowId))?.status.name ?? 'MISSING';
}

const isNotFound = (error: unknown) => error instanceof Error && error.name === 'WorkflowNotFoundError';

/** Terminates a workflow, which may end by itself before. */
export async function terminateWorkflow(client: Client, workflowId: string, why: string): Promise<void> {
  await client.workflow
    .getHandle(workflowId)
    .terminate(why)
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
}
