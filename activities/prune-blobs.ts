/**
 * Removes weights and optimizer blobs of versions that nobody needs any more: older than the recipe's retention and not
 * kept for good. A record says it is pruned before its blob goes, and a blob that any unpruned record names stays.
 */
import type { Recipe } from '../shared/config/recipe.ts';
import type { PolicyDocument, PolicyPartRecord } from './store/documents.ts';
import type { Store } from './store/connect.ts';

type BlobField = 'weights' | 'optimizer';

/** `newest` is the run's newest committed version. */
export async function pruneBlobs(
  store: Store,
  runId: string,
  newest: number,
  retention: Recipe['retention'],
): Promise<number> {
  const limits: Record<BlobField, number> = {
    weights: newest - retention.weights,
    optimizer: newest - retention.optimizer,
  };
  let removed = 0;
  for (const field of ['weights', 'optimizer'] as const) {
    const flag = `pruned.${field}`;
    const old = await store.policies
      .find({ runId, version: { $lte: limits[field] }, keep: false, [flag]: { $ne: true } })
      .toArray();
    for (const policy of old) {
      await store.policies.updateOne({ _id: policy._id }, { $set: { [flag]: true } });
      for (const digest of digestsOf(policy, field)) {
        if (await isNeeded(store, digest)) continue;
        await store.blobs.remove(digest);
        removed += 1;
      }
    }
  }
  return removed;
}

const digestsOf = (policy: PolicyDocument, field: BlobField) =>
  Object.values(policy.parts)
    .map((part: PolicyPartRecord) => part[field])
    .filter((digest) => digest !== null);

async function isNeeded(store: Store, digest: string): Promise<boolean> {
  const parts = ['shared', 'designer', 'executor'];
  const uses = parts.flatMap((part) => [
    { [`parts.${part}.weights`]: digest, 'pruned.weights': { $ne: true } },
    { [`parts.${part}.optimizer`]: digest, 'pruned.optimizer': { $ne: true } },
  ]);
  return (await store.policies.findOne({ $or: uses }, { projection: { _id: 1 } })) !== null;
}
