/**
 * What wraps every activity: heartbeats while it runs, cancellation as an AbortSignal, and the one place where errors
 * get the name that Temporal's retry policy reads.
 */
import { setMaxListeners } from 'node:events';
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { Info } from '@temporalio/activity';
import { designId, rolloutId } from '../shared/domain/ids.ts';
import { DomainError, neverRetried } from '../shared/errors.ts';
import type { FailureName } from '../shared/errors.ts';
import { Heartbeats } from './heartbeats.ts';
import { storeFailure } from './store/failure.ts';

/** Of all activities of this process. */
const heartbeats = new Heartbeats();
/** An error that nobody foresaw may come from the machine; the same one again and again comes from the program. */
const attemptsOfTheUnknown = 5;

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
    const run = runOf(context.info);
    const end = heartbeats.open(run, context.info.heartbeatTimeoutMs, () => context.heartbeat(details));
    context.cancellationSignal.addEventListener('abort', () => {
      const { cancelRequested, notFound } = context.cancellationDetails ?? {};
      if (cancelRequested || notFound) heartbeats.hurry(run);
    });
    try {
      return await body(input, {
        name: attemptName(context.info),
        signal: context.cancellationSignal,
        progress: (latest) => (details = latest),
      });
    } catch (error) {
      throw named(error, context, whereToLook(input));
    } finally {
      end();
    }
  };
}

/** The tail of a run id is its random part; eight digits tell the executions of one workflow id apart. */
const attemptName = ({ workflowExecution, activityId, attempt }: Info) =>
  `${workflowExecution?.runId.slice(-8) ?? ''}/${activityId}#${attempt}`;

/** Ids are paths, and begin with the run. */
const runOf = ({ workflowExecution }: Info) => workflowExecution?.workflowId.split('/')[0] ?? '';

function named(error: unknown, { cancellationSignal: signal, info }: Context, where: string): unknown {
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
  const known = knownFailure(error, info.attempt);
  if (known === null) return error;
  const { type, what } = known;
  const cause = error instanceof Error ? error : new Error(String(error));
  const nonRetryable = neverRetried.includes(type);
  return ApplicationFailure.create({ type, message: `${what}: ${cause.message}${where}`, nonRetryable, cause });
}

/** Null: an unknown error that is worth another attempt. */
function knownFailure(error: unknown, attempt: number): { type: FailureName; what: string } | null {
  const failure = storeFailure(error);
  if (failure === 'unavailable') return { type: 'StoreUnavailable', what: 'the store failed' };
  if (failure === 'refused') return { type: 'RecordRefused', what: 'the store refuses the record' };
  if (attempt < attemptsOfTheUnknown) return null;
  return { type: 'UnexpectedFailure', what: `failed ${attempt} times, which is a bug in metaagentx` };
}

/** The document that an activity works on, and the command that shows it; empty for an input that names none. */
function whereToLook(input: unknown): string {
  const { runId, batchId, slot, design } = (input ?? {}) as Partial<Record<'runId' | 'batchId', string>> &
    Partial<Record<'slot' | 'design', number>>;
  if (runId === undefined) return '';
  let path = batchId ?? runId;
  if (batchId !== undefined && slot !== undefined) path = rolloutId(batchId, slot);
  if (slot !== undefined && design !== undefined) path = designId(path, design);
  // Collections and searches are not shown in parts.
  const shown = /^[^/]+\/(stage|eval|solve)-/.test(path) ? path : runId;
  return ` · in ${path}; look: npx metaagentx inspect ${shown}`;
}
