/**
 * A shard of an update's gradients: what the update itself would do up to its gradients, for a part of the micro-batches.
 * Nothing is committed. Which micro-batches there are depends on the batch and the recipe, never on who computes them.
 */
import { policyId } from '../shared/domain/ids.ts';
import type { GradientShardInput, GradientShardResult, StoredGradient } from '../shared/domain/tasks.ts';
import type { Attempt } from './boundary.ts';
import { storeGradients } from './policy/stored-gradients.ts';
import type { TrainDeps } from './rollout/context.ts';
import type { PolicyEngine } from './runtime/engine/contract.ts';
import { deriveUpdate } from './update-policy.ts';

/** Ends an update where its gradients are stored. */
class GradientsStored extends Error {
  readonly gradients: StoredGradient[];

  constructor(gradients: StoredGradient[]) {
    super('gradients are stored');
    this.gradients = gradients;
  }
}

export async function gradientShard(
  deps: TrainDeps,
  { shard, shards, ...input }: GradientShardInput,
  attempt: Attempt,
): Promise<GradientShardResult> {
  // The update will find the version as well.
  const id = policyId(input.runId, input.baseVersion + 1);
  if ((await deps.store.policies.findOne({ _id: id }, { projection: { _id: 1 } })) !== null) return { gradients: [] };
  const update: PolicyEngine['update'] = async ({ newVersion: _unmade, ...request }, control) => {
    const made = await deps.engine.gradients({ ...request, share: { index: shard, of: shards } }, control);
    const gradients = await storeGradients(deps, input, made);
    throw new GradientsStored(gradients);
  };
  try {
    await deriveUpdate({ ...deps, engine: { ...deps.engine, update } }, input, attempt);
    return { gradients: [] };
  } catch (error) {
    if (error instanceof GradientsStored) return { gradients: error.gradients };
    throw error;
  }
}
