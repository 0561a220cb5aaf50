/**
 * Log-probs of an update's responses under the reference policy, which its KL penalty is taken against: the version that
 * reinforcement learning started from, or the one that the stage started from. Both are kept for good.
 */
import type { Recipe } from '../../shared/config/recipe.ts';
import type { Role } from '../../shared/domain/role.ts';
import { DomainError } from '../../shared/errors.ts';
import type { TrainDeps } from '../rollout/context.ts';
import type { TrainingSequence } from '../runtime/engine/contract.ts';

interface ReferenceUse {
  recipe: Recipe;
  runId: string;
  /** Iteration id. */
  batchId: string;
  role: Role;
}

/** Fills `referenceLogProbs` where the recipe has a KL penalty. Throws `CheckpointMissing`. */
export async function addReferenceLogProbs(
  deps: TrainDeps,
  use: ReferenceUse,
  sequences: TrainingSequence[],
  signal: AbortSignal,
): Promise<void> {
  const { recipe, runId, role } = use;
  if (recipe.update.klCoef === 0) return;
  const version = await referenceVersion(deps, use);
  await deps.policies.with({ runId, version, role, layout: recipe.policy.layout }, async ({ engineVersion }) => {
    const logProbs = await deps.engine.logProbs(
      { version: engineVersion, sequences, precision: recipe.update.precision },
      { signal },
    );
    sequences.forEach((sequence, index) => (sequence.referenceLogProbs = logProbs[index]!));
  });
}

async function referenceVersion({ store }: TrainDeps, { recipe, batchId }: ReferenceUse): Promise<number> {
  // Version 0 is the initial policy, and each chunk of a cold start makes one more.
  if (recipe.update.klReference === 'start') return recipe.coldStart.type === 'none' ? 0 : recipe.coldStart.chunks;
  const stage = batchId.slice(0, batchId.lastIndexOf('/'));
  const record = await store.stages.findOne({ _id: stage });
  if (record !== null) return record.policyIn;
  throw new DomainError('CheckpointMissing', `stage '${stage}' is not in the store, so its first policy is unknown`, {
    stage,
  });
}
