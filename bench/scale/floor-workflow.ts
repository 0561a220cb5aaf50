/** Workflows that do nothing but wait for nothing, so that what is left is the price of a step. Times are the workers'. */
import { executeChild, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';

type Nothing = { nothing(): Promise<void> };
const options = { startToCloseTimeout: '1 minute' } as const;

/** Steps one after another: an activity on `queue`, an activity in the workflow's own worker, or a child that does nothing. */
export async function floor(step: 'activity' | 'local' | 'child', steps: number, queue: string): Promise<void> {
  const { nothing } = proxyActivities<Nothing>({ ...options, taskQueue: queue });
  const local = proxyLocalActivities<Nothing>(options);
  for (let done = 0; done < steps; done += 1) {
    if (step === 'activity') await nothing();
    else if (step === 'local') await local.nothing();
    else await executeChild(empty);
  }
}

export async function empty(): Promise<void> {}

/** The steps of an iteration of one question, each of which does nothing: what Temporal itself takes of an iteration. */
export async function emptyIteration(queue: string): Promise<void> {
  const own = proxyActivities<Nothing>(options);
  const { nothing } = proxyActivities<Nothing>({ ...options, taskQueue: queue });
  await executeChild(emptyRollout, { args: [queue] });
  // Credit, update, record: the first and the last on the workflow's own queue.
  await own.nothing();
  await nothing();
  await own.nothing();
}

/** Designs and executions, verification. */
export async function emptyRollout(queue: string): Promise<void> {
  const { nothing } = proxyActivities<Nothing>({ ...options, taskQueue: queue });
  await nothing();
  await nothing();
}
