/**
 * Removes what no version needs: blobs that no unpruned version names, claims of versions that are committed and of repairs
 * that died, chunks of uploads that were cut off. Safe beside running workers; what a run that is not finished has claimed stays.
 */
import type { Store } from './connect.ts';

export interface Garbage {
  blobs: number;
  bytes: number;
  claims: number;
  uploads: number;
}

const parts = ['shared', 'designer', 'executor'];

/** Whether any version of any run names the blob and has not given it up. */
export async function isNeeded(store: Store, digest: string): Promise<boolean> {
  const uses = parts.flatMap((part) => [
    { [`parts.${part}.weights`]: digest, 'pruned.weights': { $ne: true } },
    { [`parts.${part}.base`]: digest },
    { [`parts.${part}.optimizer`]: digest, 'pruned.optimizer': { $ne: true } },
  ]);
  const files = [{ tokenizer: digest }, { 'folder.files.digest': digest }];
  const found = await store.policies.findOne({ $or: [...uses, ...files] }, { projection: { _id: 1 } });
  return found !== null;
}

export async function collectGarbage(store: Store, { dryRun }: { dryRun: boolean }): Promise<Garbage> {
  const garbage: Garbage = { blobs: 0, bytes: 0, claims: 0, uploads: 0 };
  const claimed = new Set<string>();
  for (const { claimant, digest, isLapsed } of await store.blobs.claims()) {
    const isMade = (await store.policies.findOne({ _id: claimant }, { projection: { _id: 1 } })) !== null;
    if (!isMade && !isLapsed) claimed.add(digest);
    else {
      if (!dryRun) await (isMade ? store.blobs.release(claimant) : store.blobs.releaseLapsed(claimant));
      garbage.claims += 1;
    }
  }
  for (const { digest, bytes } of await store.blobs.list()) {
    if (claimed.has(digest) || (await isNeeded(store, digest))) continue;
    if (!dryRun && !(await store.blobs.remove(digest, () => isNeeded(store, digest)))) continue;
    garbage.blobs += 1;
    garbage.bytes += bytes;
  }
  if (!dryRun) garbage.uploads = await store.blobs.sweepChunks();
  return garbage;
}
