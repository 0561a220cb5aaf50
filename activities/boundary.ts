/**
 * What wraps every activity: heartbeats while it runs, cancellation as an AbortSignal, and the one place where errors
 * get the name that Temporal's retry policy reads.
 */
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { DomainError, neverRetried } from '../shared/errors.ts';

/** Well under the shortest heartbeat timeout; the SDK throttles what it sends. */
const heartbeatEveryMs = 2_000;

/** What an activity's body may know of the attempt it runs in. */
export interface Attempt {
  signal: AbortSignal;
  /** Shown in the Temporal UI as heartbeat details. */
  progress: (details: unknown) => void;
}

type Body<Input, Result> = (input: Input, attempt: Attempt) => Promise<Result>;

/** The activity function that workers register. */
export function bounded<Input, Result>(body: Body<Input, Result>): (input: Input) => Promise<Result> {
  return async (input) => {
    const context = Context.current();
    let details: unknown = null;
    const timer = setInterval(() => context.heartbeat(details), heartbeatEveryMs);
    try {
      return await body(input, { signal: context.cancellationSignal, progress: (latest) => (details = latest) });
    } catch (error) {
      throw named(error, context.cancellationSignal);
    } finally {
      clearInterval(timer);
    }
  };
}

function named(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  if (signal.aborted)
    return signal.reason instanceof Error ? signal.reason : new CancelledFailure('activity cancelled');
  if (error instanceof DomainError) {
    return ApplicationFailure.create({
      type: error.name,
      message: error.message,
      details: [error.data],
      nonRetryable: neverRetried.includes(error.name),
      cause: error,
    });
  }
  if (isStoreFailure(error)) {
    return ApplicationFailure.create({
      type: 'StoreUnavailable',
      message: `the store failed: ${error.message}`,
      cause: error,
    });
  }
  return error;
}

/** Errors of the MongoDB driver that are not a programmer's mistake; recognised by name, for the driver stays in store/. */
const isStoreFailure = (error: unknown): error is Error => error instanceof Error && error.name.startsWith('Mongo');
