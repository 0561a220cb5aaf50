/**
 * Removes weights and optimizer blobs of versions that nobody needs any more: older than the recipe's retention, not kept
 * for good, not pinned. A version says in one step that its blob is pruned, so it can never be pinned and pruned; then
 * the blob goes, unless another version or a writer needs the same content.
 */
import type { Recipe } from '../shared/config/recipe.ts';
import { isNeeded } from './store/collect-garbage.ts';
import type { PolicyDocument, PolicyPartRecord } from './store/documents.ts';
import type { Store } from './store/connect.ts';

type BlobField = 'weights' | 'optimizer';

/** `newest` is the run's newest committed version. Returns how many blobs were removed. */
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
    const unneeded = { keep: false, [flag]: { $ne: true }, 'pins.0': { $exists: false } };
    const old = await store.policies.find({ runId, version: { $lte: limits[field] }, ...unneeded }).toArray();
    for (const policy of old) {
      const { matchedCount } = await store.policies.updateOne(
        { _id: policy._id, ...unneeded },
        { $set: { [flag]: true } },
      );
      if (matchedCount === 0) continue;
      for (const digest of digestsOf(policy, field)) {
        if (await store.blobs.remove(digest, () => isNeeded(store, digest))) removed += 1;
      }
    }
  }
  return removed;
}

const digestsOf = (policy: PolicyDocument, field: BlobField) =>
  Object.values(policy.parts)
    .map((part: PolicyPartRecord) => part[field])
    .filter((digest) => digest !== null);
