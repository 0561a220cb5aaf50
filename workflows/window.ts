/** Bounded fan-out: at most `width` tasks are open at once; the first failure ends the rest by cancellation. */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';

/** Results in the order of `items`. */
export const mapWindow = <Item, Result>(
  items: readonly Item[],
  width: number,
  task: (item: Item) => Promise<Result>,
): Promise<Result[]> => mapUntil(items, width, task, () => false);

/** Begins no task any more once the history is long; results of the first so many items, for whoever continues as new. */
export const mapWhileShort = <Item, Result>(
  items: readonly Item[],
  width: number,
  task: (item: Item) => Promise<Result>,
): Promise<Result[]> => mapUntil(items, width, task, () => workflowInfo().continueAsNewSuggested);

async function mapUntil<Item, Result>(
  items: readonly Item[],
  width: number,
  task: (item: Item) => Promise<Result>,
  isEnough: () => boolean,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  return CancellationScope.cancellable(async () => {
    const lane = async () => {
      // One at least, so that every execution comes further.
      while (next < items.length && (next === 0 || !isEnough())) {
        const index = next++;
        results[index] = await task(items[index]!);
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
    } catch (error) {
      CancellationScope.current().cancel();
      throw error;
    }
    return results;
  });
}
