/**
 * A shard of an update's gradients: what the update itself would do up to its gradients, for a part of the micro-batches.
 * Nothing is committed. Which micro-batches there are depends on the batch and the recipe, never on who computes them.
 */
import { policyId } from '../shared/domain/ids.ts';
import type { GradientShardInput, GradientShardResult, StoredGradient } from '../shared/domain/tasks.ts';
import type { Attempt } from './boundary.ts';
import { storeGradients } from './policy/stored-gradients.ts';
import type { TrainDeps } from './rollout/context.ts';
import { eachUpdate } from './update-policy.ts';

export async function gradientShard(
  deps: TrainDeps,
  { shard, shards, ...input }: GradientShardInput,
  attempt: Attempt,
): Promise<GradientShardResult> {
  // The update will find the version as well.
  const id = policyId(input.runId, input.baseVersion + 1);
  if ((await deps.store.policies.findOne({ _id: id }, { projection: { _id: 1 } })) !== null) return { gradients: [] };
  const share = { index: shard, of: shards };
  const control = { signal: attempt.signal, onProgress: attempt.progress };
  const gradients: StoredGradient[] = [];
  await eachUpdate(deps, input, attempt, async ({ request }) => {
    const made = await deps.engine.gradients({ ...request, share }, control);
    gradients.push(...(await storeGradients(deps, input, made)));
  });
  return { gradients };
}
