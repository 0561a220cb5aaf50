/** A repair in this process, with an engine of its own, for as long as it takes. */
import { PolicyResidence } from '../activities/policy/residence.ts';
import { repairVersion } from '../activities/recovery/repair.ts';
import type { Repair } from '../activities/recovery/repair.ts';
import { runContexts } from '../activities/run-context.ts';
import { createEngine } from '../activities/runtime/engine/create-engine.ts';
import type { Store } from '../activities/store/connect.ts';
import type { TemporalConfig } from '../shared/config/temporal-config.ts';
import { parsePolicyReference, policyId } from '../shared/domain/ids.ts';
import { pinPolicy } from './measure/pinned-policy.ts';

/** Throws as `pinPolicy` and `repairVersion` do. */
export async function repairWithOwnEngine(
  store: Store,
  { engine: options }: TemporalConfig,
  reference: string,
  signal: AbortSignal,
): Promise<Repair & { policy: string }> {
  const { runId, version } = await versionToRepair(store, reference);
  const engine = await createEngine(options);
  try {
    const deps = { store, runs: runContexts(store), engine, policies: new PolicyResidence(store, engine) };
    const attempt = { name: 'repair', signal, progress: () => undefined };
    const repair = await repairVersion(deps, { runId, version }, attempt);
    return { policy: policyId(runId, version), ...repair };
  } finally {
    await engine.close();
  }
}

/** Also one whose weights retention has taken. */
async function versionToRepair(store: Store, reference: string): Promise<{ runId: string; version: number }> {
  const { runId, version } = parsePolicyReference(reference);
  const isThere = version !== null && (await store.policies.findOne({ _id: policyId(runId, version) })) !== null;
  if (isThere) return { runId, version };
  const { run, policyVersion } = await pinPolicy(store, reference);
  return { runId: run._id, version: policyVersion };
}
