/** What a collection has taken so far, designs included. */
import type { Store } from '../store/connect.ts';
import { costOfBatches } from '../systems/search-cost.ts';

export async function collectionCost(
  { store }: { store: Store },
  { batchId }: { batchId: string },
): Promise<{ calls: number; tokens: number }> {
  const { calls, promptTokens, responseTokens } = await costOfBatches(store, [batchId]);
  return { calls, tokens: promptTokens + responseTokens };
}
