/** Version 0 of a run that starts from a stored version, another run's or an imported one: the same weights, moments as asked. */
import { policyId } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import type { PolicyDocument, PolicyPartRecord } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';
import { digestsOf } from './blob-uses.ts';
import { heritageOf } from './commit.ts';
import type { PolicyDraft } from './commit.ts';
import { partsOf } from './parts.ts';
import { storedVersion } from './stored-version.ts';
import type { Layout } from './parts.ts';

/** Throws `CheckpointMissing` where a role has no weights in `base`, or moments that are to be kept were pruned. */
export function inheritedPolicy(
  runId: string,
  base: PolicyDocument,
  kept: 'fresh' | 'kept',
  layout: Layout,
): PolicyDraft {
  const parts: PolicyDocument['parts'] = {};
  for (const part of partsOf(layout)) {
    // A shared policy can be parted into two that start equal; two cannot be made one.
    const own = base.parts[part] ?? base.parts.shared;
    if (own === undefined) {
      throw new DomainError('CheckpointMissing', `policy.init: ${base._id} has no '${part}' weights`, {
        policy: base._id,
        part,
      });
    }
    const moments = kept === 'kept' ? keptMoments(base, own) : { optimizer: null, optimizerStep: 0 };
    const { weights, base: frozen } = own;
    parts[part] = { changedIn: 0, weights, ...(frozen && { base: frozen }), ...moments };
  }
  return { runId, version: 0, parent: null, madeBy: 'initial', ...heritageOf(base), parts, metrics: {}, keep: true };
}

/**
 * Claims the blobs that the draft takes over until it is committed: from here on its origin may be pruned. Throws
 * `CheckpointMissing` where that was so before, or where a blob is lost.
 */
export async function holdInherited(
  store: Store,
  draft: PolicyDraft,
  from: { runId: string; version: number; moments: 'fresh' | 'kept' },
): Promise<void> {
  const claimant = policyId(draft.runId, draft.version);
  try {
    const claims = await Promise.allSettled([...digestsOf(draft)].map((digest) => store.blobs.claim(digest, claimant)));
    const base = await storedVersion(store, `${from.runId}@v${from.version}`);
    if (from.moments === 'kept') for (const part of Object.values(base.parts)) keptMoments(base, part);
    // A blob that was not pruned is lost.
    for (const claim of claims) if (claim.status === 'rejected') throw claim.reason;
  } catch (error) {
    await store.blobs.release(claimant);
    throw error;
  }
}

/** Throws `CheckpointMissing` where the moments were pruned. */
export function keptMoments(
  { _id: id, pruned }: Pick<PolicyDocument, '_id' | 'pruned'>,
  { optimizer, optimizerStep }: PolicyPartRecord,
): Pick<PolicyPartRecord, 'optimizer' | 'optimizerStep'> {
  if (optimizer === null || pruned?.optimizer !== true) return { optimizer, optimizerStep };
  throw new DomainError(
    'CheckpointMissing',
    `the optimizer moments of ${id} were pruned (retention.optimizer of its recipe): begin with fresh ones, --set policy.init.moments=fresh, or from a newer version`,
    { policy: id },
  );
}
