/** What batches of answers took: model calls and tokens, designs included. */
import type { ModelCost } from '../../shared/domain/usage.ts';
import type { Store } from '../store/connect.ts';

export const noCost: ModelCost = { calls: 0, promptTokens: 0, responseTokens: 0 };

export const addCosts = (costs: readonly ModelCost[]): ModelCost =>
  costs.reduce(
    (sum, cost) => ({
      calls: sum.calls + cost.calls,
      promptTokens: sum.promptTokens + cost.promptTokens,
      responseTokens: sum.responseTokens + cost.responseTokens,
    }),
    noCost,
  );

/** Designs that no model wrote have empty prompts and do not count. */
export async function costOfBatches(store: Store, batchIds: readonly string[]): Promise<ModelCost> {
  const sums = [
    { $match: { batchId: { $in: [...batchIds] }, promptTokens: { $gt: 0 } } },
    {
      $group: {
        _id: null,
        calls: { $sum: 1 },
        promptTokens: { $sum: '$promptTokens' },
        responseTokens: { $sum: '$responseTokens' },
      },
    },
  ];
  const [designs, calls] = await Promise.all([
    store.designs.aggregate<ModelCost>(sums).toArray(),
    store.calls.aggregate<ModelCost>(sums).toArray(),
  ]);
  return addCosts([...designs, ...calls]);
}
