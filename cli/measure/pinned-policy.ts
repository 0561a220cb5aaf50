/** Which policy version a command is about: RUN, RUN@latest or RUN@vN, checked against the store. */
import { readRun } from '../../activities/run-context.ts';
import type { RunDocument } from '../../activities/store/documents.ts';
import type { Store } from '../../activities/store/connect.ts';
import { storedVersion } from '../../activities/policy/stored-version.ts';
import { parsePolicyReference } from '../../shared/domain/ids.ts';

export interface PinnedPolicy {
  run: RunDocument;
  policyVersion: number;
}

/** Throws `InvalidInput`, `RunNotFound`, or `CheckpointMissing` where the version is not there or its weights are gone. */
export async function pinPolicy(store: Store, reference: string): Promise<PinnedPolicy> {
  const run = await readRun(store, parsePolicyReference(reference).runId);
  // A model behind an endpoint has one version, of which nothing is stored.
  if (run.recipe.policy.init.type === 'endpoint') return { run, policyVersion: 0 };
  const { version } = await storedVersion(store, reference);
  return { run, policyVersion: version };
}

/** The version that the cold start ended with (the initial one without a cold start), before any iteration. */
export async function untrainedVersion(store: Store, runId: string): Promise<number> {
  const found = await store.policies
    .find({ runId, madeBy: { $regex: '^(initial$|cold-start-)' } }, { projection: { version: 1 } })
    .sort({ version: -1 })
    .limit(1)
    .toArray();
  const { policyVersion } = await pinPolicy(store, `${runId}@v${found[0]?.version ?? 0}`);
  return policyVersion;
}
