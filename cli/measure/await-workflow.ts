/**
 * Waits for a workflow of the command's own, with its progress on stderr. The workflow is durable: a wait that is
 * interrupted leaves it as it is. A failed workflow ends with the failure that caused it, by name.
 */
import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TerminatedFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import type { BatchProgress } from '../../shared/domain/plan.ts';
import { DomainError, failureNames } from '../../shared/errors.ts';
import type { Cli } from '../command.ts';
import { Interrupted } from '../exit-codes.ts';
import { pause } from '../pause.ts';
import type { Session } from '../session.ts';
import { bar } from '../view/bars.ts';
import { duration } from '../view/numbers.ts';

const pollMs = 1_000;
const queryTimeoutMs = 3_000;

export interface Awaited<Result> {
  workflowId: string;
  /** What the lines call it. */
  title: string;
  result: Promise<Result>;
  /** What to type after an interruption. */
  advice: readonly string[];
}

/** The workflow's result. Throws `Interrupted`, the workflow's own failure, or `Unavailable` when the servers are lost. */
export async function awaitWorkflow<Result>(
  cli: Cli,
  session: Session,
  { workflowId, title, result, advice }: Awaited<Result>,
): Promise<Result> {
  const stopped = new AbortController();
  const interrupted = new Promise<never>((_resolve, reject) => {
    const stop = () => reject(new Interrupted(`stopped waiting for ${title}`, advice));
    if (cli.signal.aborted) stop();
    cli.signal.addEventListener('abort', stop, { once: true });
  });
  const lost = session.lost.then((error) => {
    throw error;
  });
  return cli.live(async (block) => {
    const started = performance.now();
    const showing = showProgress(session, workflowId, stopped.signal, (progress) => {
      const text = `${title}  ${bar(progress.done, progress.of)}  ${progress.done}/${progress.of} ${progress.parts}`;
      if (block.isLive) block.draw([`${text}  ${duration(performance.now() - started)}`]);
      else cli.log(`${title}: ${progress.done}/${progress.of} ${progress.parts}`);
    });
    try {
      return await Promise.race([result, interrupted, lost]);
    } catch (error) {
      throw causeOf(error, title);
    } finally {
      stopped.abort();
      await showing;
    }
  });
}

async function showProgress(
  { client }: Session,
  workflowId: string,
  signal: AbortSignal,
  show: (progress: BatchProgress) => void,
): Promise<void> {
  let shown = '';
  while (!signal.aborted) {
    const progress = await client
      .withDeadline(Date.now() + queryTimeoutMs, () =>
        client.workflow.getHandle(workflowId).query<BatchProgress>('batchProgress'),
      )
      .catch(() => null);
    const now = JSON.stringify(progress);
    if (progress !== null && now !== shown && !signal.aborted) show(progress);
    shown = now;
    await pause(pollMs, signal);
  }
}

/** The failure at the end of the chain, as the domain error it was when it was thrown. */
function causeOf(error: unknown, title: string): unknown {
  if (!(error instanceof WorkflowFailedError)) return error;
  let cause: unknown = error.cause;
  while ((cause instanceof ChildWorkflowFailure || cause instanceof ActivityFailure) && cause.cause) {
    cause = cause.cause;
  }
  if (cause instanceof ApplicationFailure) {
    const name = failureNames.find((known) => known === cause.type);
    if (name !== undefined) return new DomainError(name, `${title} failed: ${cause.message}`, {}, { cause });
  }
  if (cause instanceof TerminatedFailure) {
    return new DomainError('InvalidInput', `${title} was terminated: ${cause.message}; give the command again`);
  }
  return new Error(`${title} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
