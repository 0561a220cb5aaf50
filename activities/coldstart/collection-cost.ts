/** What a collection has taken so far, designs included. */
import type { CollectionCost } from '../../shared/domain/collection-plan.ts';
import type { Store } from '../store/connect.ts';
import { costOfBatches } from '../systems/search-cost.ts';

export async function collectionCost(
  { store }: { store: Store },
  { batchId }: { batchId: string },
): Promise<CollectionCost> {
  const [{ calls, promptTokens, responseTokens }, begun] = await Promise.all([
    costOfBatches(store, [batchId]),
    store.designs.distinct('rolloutId', { batchId }),
  ]);
  return { calls, tokens: promptTokens + responseTokens, begun: begun.length };
}
