/** What to say where a version cannot be made again: why, which blobs are missing, and the ways that are left. */
import { DomainError, isDomainError } from '../../shared/errors.ts';
import type { FailureName } from '../../shared/errors.ts';
import { blobsOf } from '../policy/blob-uses.ts';
import type { PolicyDocument } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';

/** Failures that say that something is not there any more; others may be gone the next time. */
const lasting: readonly FailureName[] = [
  'CheckpointCorrupt',
  'CheckpointMissing',
  'InvalidConfig',
  'InvalidInput',
  'RecordBroken',
  'RecordConflict',
  'RunNotFound',
  'StoreBehind',
];

/** `missing`: by digest, what it is. */
export async function unrepairable(
  store: Store,
  policy: PolicyDocument,
  missing: ReadonlyMap<string, string>,
  cause: unknown,
): Promise<unknown> {
  if (!isDomainError(cause) || !lasting.includes(cause.name)) return cause;
  const blobs = [...missing].map(([digest, what]) => `${what} (blob ${digest})`).join(', ');
  const other = await nearestWhole(store, policy, missing);
  const onward =
    other === null
      ? `no version of '${policy.runId}' or of the runs that it comes from is whole: train anew`
      : `begin another run with the nearest version that is there: npx metaagentx fork ${other.runId}@v${other.version} --run-id NEW`;
  return new DomainError(
    cause.name,
    `${policy._id} cannot be made whole: ${cause.message}. Missing: ${blobs}. Put these blobs back from a backup of the store (in weights.files the digest is the filename; its weights.chunks belong to it) and give the command again, or ${onward}`,
    { ...cause.data, policy: policy._id, missing: [...missing.keys()] },
    { cause },
  );
}

/** The newest version of the run that has everything, else of the run that it begins with, and so on. */
async function nearestWhole(
  store: Store,
  policy: PolicyDocument,
  missing: ReadonlyMap<string, string>,
): Promise<PolicyDocument | null> {
  const met = new Set<string>();
  for (let runId: string | undefined = policy.runId; runId !== undefined && !met.has(runId);) {
    met.add(runId);
    const whole = store.policies.find({ runId, pruned: { $exists: false } }).sort({ version: -1 });
    for await (const each of whole) if (await hasAll(store, each, missing)) return each;
    runId = await originOf(store, runId);
  }
  return null;
}

async function originOf(store: Store, runId: string): Promise<string | undefined> {
  const init = (await store.runs.findOne({ _id: runId }))?.recipe.policy.init;
  return init?.type === 'policy' ? init.runId : undefined;
}

async function hasAll(store: Store, policy: PolicyDocument, missing: ReadonlyMap<string, string>): Promise<boolean> {
  for (const { digest } of blobsOf(policy)) {
    if (missing.has(digest) || !(await store.blobs.has(digest))) return false;
  }
  return true;
}
