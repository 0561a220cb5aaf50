/** Several tasks of one activity attempt: the first failure aborts the others, and nothing is left running behind it. */

/** Resolves with all results in order. Rejects with the first failure, once every task has ended. */
export async function together<Result>(
  signal: AbortSignal,
  tasks: readonly ((signal: AbortSignal) => Promise<Result>)[],
): Promise<Result[]> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const running = tasks.map(async (task) => {
    try {
      return await task(either);
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  const ended = await Promise.allSettled(running);
  // A signal keeps the reason of its first abort.
  if (failed.signal.aborted) throw failed.signal.reason;
  return ended.map((end) => (end as PromiseFulfilledResult<Result>).value);
}
