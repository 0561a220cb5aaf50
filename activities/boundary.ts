/**
 * What wraps every activity: heartbeats while it runs, cancellation as an AbortSignal, and the one place where errors
 * get the name that Temporal's retry policy reads.
 */
import { setMaxListeners } from 'node:events';
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { Info } from '@temporalio/activity';
import { designId, rolloutId } from '../shared/domain/ids.ts';
import { DomainError, neverRetried } from '../shared/errors.ts';

/** Well under the shortest heartbeat timeout; the SDK throttles what it sends. */
const heartbeatEveryMs = 2_000;

/** What an activity's body may know of the attempt it runs in. */
export interface Attempt {
  /** Workflow execution, activity and attempt: `0195a3c2/17#2`. Stored with what the attempt writes. */
  name: string;
  signal: AbortSignal;
  /** Shown in the Temporal UI as heartbeat details. */
  progress: (details: unknown) => void;
}

type Body<Input, Result> = (input: Input, attempt: Attempt) => Promise<Result>;

/** The activity function that workers register. */
export function bounded<Input, Result>(body: Body<Input, Result>): (input: Input) => Promise<Result> {
  return async (input) => {
    const context = Context.current();
    // One activity may wait for hundreds of model calls, each with a listener of its own.
    setMaxListeners(0, context.cancellationSignal);
    let details: unknown = null;
    const timer = setInterval(() => context.heartbeat(details), heartbeatEveryMs);
    try {
      return await body(input, {
        name: attemptName(context.info),
        signal: context.cancellationSignal,
        progress: (latest) => (details = latest),
      });
    } catch (error) {
      throw named(error, context.cancellationSignal, whereToLook(input));
    } finally {
      clearInterval(timer);
    }
  };
}

/** The tail of a run id is its random part; eight digits tell the executions of one workflow id apart. */
const attemptName = ({ workflowExecution, activityId, attempt }: Info) =>
  `${workflowExecution?.runId.slice(-8) ?? ''}/${activityId}#${attempt}`;

function named(error: unknown, signal: AbortSignal, where: string): unknown {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  if (signal.aborted)
    return signal.reason instanceof Error ? signal.reason : new CancelledFailure('activity cancelled');
  if (error instanceof DomainError) {
    return ApplicationFailure.create({
      type: error.name,
      message: `${error.message}${where}`,
      details: [error.data],
      nonRetryable: neverRetried.includes(error.name),
      cause: error,
    });
  }
  if (isStoreFailure(error)) {
    if (refusedDocument.includes((error as { code?: unknown }).code)) {
      return ApplicationFailure.create({
        type: 'RecordRefused',
        message: `the store refused a document: ${error.message}${where}`,
        nonRetryable: neverRetried.includes('RecordRefused'),
        cause: error,
      });
    }
    return ApplicationFailure.create({
      type: 'StoreUnavailable',
      message: `the store failed: ${error.message}${where}`,
      cause: error,
    });
  }
  return error;
}

/** The document that an activity works on, and the command that shows it; empty for an input that names none. */
function whereToLook(input: unknown): string {
  const { runId, batchId, slot, design } = (input ?? {}) as Partial<Record<'runId' | 'batchId', string>> &
    Partial<Record<'slot' | 'design', number>>;
  if (runId === undefined) return '';
  let path = batchId ?? runId;
  if (batchId !== undefined && slot !== undefined) path = rolloutId(batchId, slot);
  if (slot !== undefined && design !== undefined) path = designId(path, design);
  return ` · in ${path}; look: npx metaagentx inspect ${path}`;
}

/** Errors of the MongoDB driver that are not a programmer's mistake; recognised by name, for the driver stays in store/. */
const isStoreFailure = (error: unknown): error is Error => error instanceof Error && error.name.startsWith('Mongo');

/** MongoDB's codes of documents that no retry makes acceptable: failed validation, too large. */
const refusedDocument: readonly unknown[] = [121, 10334, 17280];
