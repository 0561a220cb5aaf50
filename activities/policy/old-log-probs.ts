/**
 * Which log-probs an update's ratios start from: those of sampling, or the trainer's own under the version that sampled. The
 * distance between the two is a metric of its own (`meanSamplingGap`, `maxSamplingGap`, nats a token): the trainer's drift
 * alarm compares what is left afterwards.
 */
import type { Recipe } from '../../shared/config/recipe.ts';
import type { SamplingSettings } from '../../shared/domain/sampling.ts';
import type { LogProbRequest, PolicyEngine, TrainingSequence } from '../runtime/engine/contract.ts';
import type { StoredSequence } from './training-sequences.ts';

/** How far old log-probs may be from the trainer's own, nats: in bfloat16 the shape of a run makes up to 0.02 (docs/log.md). */
export const logProbGapLimitOf = ({ logProbGapLimit, precision }: Recipe['update']): number =>
  logProbGapLimit ?? (precision === 'bfloat16' ? 0.25 : 1e-3);

/**
 * Whether `update.oldLogProbs` of the recipe means the trainer's own for these sequences. What they were sampled with is
 * theirs to say: a recipe's sampling may have changed since, in the middle of an iteration too. Its weights never change.
 */
export function isRecomputed(
  { update, rollout }: Pick<Recipe, 'update' | 'rollout'>,
  sequences: readonly Pick<StoredSequence, 'sampling'>[],
): boolean {
  if (update.oldLogProbs !== 'auto') return update.oldLogProbs === 'recomputed';
  // Recipes of before there were precisions have none.
  const rounds = [rollout.weights, update.precision].some((precision) => precision && precision !== 'float32');
  return rounds || !sequences.every(({ sampling }) => isUntruncated(sampling));
}

/** Sampled log-probs are those of the plain policy exactly when nothing tempered or cut its distribution. */
const isUntruncated = ({ temperature, topP, topK, minP }: SamplingSettings) =>
  temperature === 1 && topP === 1 && topK === 0 && minP === 0;

/** Replaces `oldLogProbs` of the sequences by the version's own; returns how far they were off. */
export async function recomputeOldLogProbs(
  engine: Pick<PolicyEngine, 'logProbs'>,
  { version, precision }: Pick<LogProbRequest, 'version' | 'precision'>,
  sequences: TrainingSequence[],
  signal: AbortSignal,
): Promise<{ meanSamplingGap: number; maxSamplingGap: number }> {
  const recomputed = await engine.logProbs({ version, sequences, precision }, { signal });
  let [sum, tokens, most] = [0, 0, 0];
  sequences.forEach((sequence, index) => {
    const own = recomputed[index]!;
    own.forEach((value, token) => {
      const gap = Math.abs(value - sequence.oldLogProbs[token]!);
      sum += gap;
      most = Math.max(most, gap);
    });
    tokens += own.length;
    sequence.oldLogProbs = own;
  });
  return { meanSamplingGap: sum / tokens, maxSamplingGap: most };
}
