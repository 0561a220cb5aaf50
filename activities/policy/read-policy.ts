/** A committed version's record. What a run's workflow counts on and the store does not have is a store that lost writes. */
import { policyId } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import type { PolicyDocument } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';

/** Throws `StoreBehind` where the run's newest version is older, else `CheckpointMissing`. */
export async function readPolicy(store: Store, runId: string, version: number): Promise<PolicyDocument> {
  const id = policyId(runId, version);
  const found = await store.policies.findOne({ _id: id });
  if (found !== null) return found;
  const newest = await store.policies
    .find({ runId }, { projection: { version: 1 } })
    .sort({ version: -1 })
    .limit(1)
    .toArray();
  const last = newest[0]?.version ?? -1;
  if (last >= 0 && last < version) {
    throw new DomainError(
      'StoreBehind',
      `${id} was committed and is not in the store, whose newest version is v${last}: the store has lost its newest writes. Roll the run back to what is whole and go on with: npx metaagentx resume ${runId}`,
      { runId, version, newest: last },
    );
  }
  throw new DomainError('CheckpointMissing', `${id} was never committed; see: npx metaagentx status ${runId}`, {
    runId,
    version,
  });
}
