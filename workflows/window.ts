/** Bounded fan-out: at most `width` tasks are open at once; the first failure ends the rest by cancellation. */
import { CancellationScope } from '@temporalio/workflow';

/** Results in the order of `items`. */
export async function mapWindow<Item, Result>(
  items: readonly Item[],
  width: number,
  task: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  return CancellationScope.cancellable(async () => {
    const lane = async () => {
      while (next < items.length) {
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
