/**
 * Pins: versions that a measurement is using are not pruned. A pin is the id of the workflow that measures: of an evaluation, a
 * search, a solved question or a study. Pinning and pruning are one conditional write each to the same record, so a version is
 * never both.
 */
import type { RunDocument } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';
import { policyId } from '../../shared/domain/ids.ts';
import { storedVersion } from './stored-version.ts';
import { readPolicy } from './read-policy.ts';

/** Throws `CheckpointMissing` where the version is not there or its weights were pruned. */
export async function pinVersion(
  store: Store,
  { _id: runId, recipe }: Pick<RunDocument, '_id' | 'recipe'>,
  version: number,
  pin: string,
): Promise<void> {
  // A model behind an endpoint has one version, of which nothing is stored.
  if (recipe.policy.init.type === 'endpoint') return;
  const usable = { _id: policyId(runId, version), 'pruned.weights': { $ne: true as const } };
  const { matchedCount } = await store.policies.updateOne(usable, { $addToSet: { pins: pin } });
  if (matchedCount > 0) return;
  // Says which of the two it is.
  await readPolicy(store, runId, version);
  await storedVersion(store, `${runId}@v${version}`);
}

/** What was measured is on record; the next iteration of the run prunes what it may. */
export async function unpin(store: Store, runId: string, pin: string): Promise<void> {
  await store.policies.updateMany({ runId, pins: pin }, { $pull: { pins: pin } });
}

/**
 * Takes the pins of measurements that were given up from versions that no measurement is using: none of their pins is the id of
 * a workflow that runs. Returns how many.
 */
export async function dropPins(
  store: Store,
  isRunning: (pin: string) => Promise<boolean>,
  { dryRun }: { dryRun: boolean },
): Promise<number> {
  let dropped = 0;
  const pinned = store.policies.find({ 'pins.0': { $exists: true } }, { projection: { runId: 1, pins: 1 } });
  for (const { _id, pins = [] } of await pinned.toArray()) {
    const running = await Promise.all(pins.map(isRunning));
    if (running.includes(true)) continue;
    if (!dryRun) await store.policies.updateOne({ _id }, { $pullAll: { pins } });
    dropped += pins.length;
  }
  return dropped;
}
