/** What went wrong, from the end of a chain of failures. */
import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure } from '@temporalio/common';

export function failureOf(error: unknown): { name: string; message: string } | undefined {
  let cause = error;
  while ((cause instanceof ChildWorkflowFailure || cause instanceof ActivityFailure) && cause.cause)
    cause = cause.cause;
  if (cause instanceof ApplicationFailure) return { name: cause.type ?? 'Error', message: cause.message };
  return cause instanceof Error ? { name: cause.name, message: cause.message } : undefined;
}
