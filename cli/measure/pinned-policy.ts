/** Which policy version a command is about: RUN, RUN@latest or RUN@vN, checked against the store. */
import { readRun } from '../../activities/run-context.ts';
import type { RunDocument } from '../../activities/store/documents.ts';
import type { Store } from '../../activities/store/connect.ts';
import { storedVersion } from '../../activities/policy/stored-version.ts';
import { parsePolicyReference } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';

export interface PinnedPolicy {
  run: RunDocument;
  policyVersion: number;
}

/** Throws `InvalidInput`, `RunNotFound`, or `CheckpointMissing` where the version is not there or its weights are gone. */
export async function pinPolicy(store: Store, reference: string): Promise<PinnedPolicy> {
  const run = await readRun(store, parsePolicyReference(reference).runId);
  if (run.recipe.policy.init.type === 'endpoint') {
    checkOnly(reference, 0, 'a model behind an endpoint has no other version');
    // Of which nothing is stored.
    return { run, policyVersion: 0 };
  }
  const { version } = await storedVersion(store, reference);
  return { run, policyVersion: version };
}

/** Throws `CheckpointMissing` where a version is named that is not the only one. */
function checkOnly(reference: string, only: number, why: string): void {
  const { runId, version } = parsePolicyReference(reference);
  if (version === null || version === only) return;
  throw new DomainError('CheckpointMissing', `${why} than v${only}: name ${runId} alone`, { runId, version });
}

/**
 * The version that the cold start ended with (the initial one without a cold start), before any iteration. Throws
 * `CheckpointMissing` where another one is named.
 */
export async function untrainedVersion(store: Store, reference: string): Promise<number> {
  const { runId } = parsePolicyReference(reference);
  const found = await store.policies
    .find({ runId, madeBy: { $regex: '^(initial$|cold-start-)' } }, { projection: { version: 1 } })
    .sort({ version: -1 })
    .limit(1)
    .toArray();
  const { policyVersion } = await pinPolicy(store, `${runId}@v${found[0]?.version ?? 0}`);
  checkOnly(reference, policyVersion, 'the untrained Designer has no other version');
  return policyVersion;
}
