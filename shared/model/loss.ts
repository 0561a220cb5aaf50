/**
 * Token losses as graph nodes: the negative log-likelihood, and the clipped surrogate of PPO (Schulman et al. 2017,
 * eq. 7) with an optional KL penalty to a reference (estimator k3) and entropy bonus. Meanings: interface.ts, LossSpec.
 */
import { add, cast, clip, exp, less, minimum, mul, neg, sub, sum } from '../graph/build.ts';
import { DomainError } from '../errors.ts';
import type { Value } from '../graph/graph.ts';
import type { LossSpec } from './interface.ts';

/** Everything about some tokens; all [n]. */
export interface LossTokens {
  readonly logProb: Value;
  readonly entropy: Value;
  readonly weight: Value;
  readonly advantage?: Value;
  readonly oldLogProb?: Value;
  readonly refLogProb?: Value;
}

/** Scalars: the loss, and for a policy loss the weighted sums of its statistics. */
export type LossTerms = Readonly<Record<'loss', Value>> &
  Readonly<Partial<Record<'ratio' | 'clip_fraction' | 'kl' | 'reference_kl', Value>>>;

/** The loss inputs [B, T] beyond `weight` that a loss reads. */
export function lossInputs(loss: LossSpec): readonly ('advantage' | 'old_log_prob' | 'ref_log_prob')[] {
  if (loss.type === 'sft') return [];
  return loss.klCoef > 0 ? ['advantage', 'old_log_prob', 'ref_log_prob'] : ['advantage', 'old_log_prob'];
}

/** Throws `InvalidInput` naming the first bad setting. */
export function checkLoss(loss: LossSpec): void {
  if (loss.type === 'sft') return;
  for (const field of ['clipLow', 'clipHigh', 'klCoef', 'entropyCoef'] as const) {
    const valid = loss[field] >= 0 && Number.isFinite(loss[field]) && (field !== 'clipLow' || loss[field] < 1);
    if (valid) continue;
    const expected = field === 'clipLow' ? 'a number from 0 to below 1' : 'a finite number of at least 0';
    throw new DomainError(
      'InvalidInput',
      `Policy loss: ${field} is ${loss[field]}; expected ${expected}. Correct the update's settings.`,
      { field },
    );
  }
}

export function lossTerms(loss: LossSpec, tokens: LossTokens): LossTerms {
  const weighted = (x: Value) => sum(mul(tokens.weight, x));
  if (loss.type === 'sft') return { loss: weighted(neg(tokens.logProb)) };
  const { logProb } = tokens;
  const advantage = tokens.advantage!;
  const ratio = exp(sub(logProb, tokens.oldLogProb!));
  const plain = mul(ratio, advantage);
  const clipped = mul(clip(ratio, 1 - loss.clipLow, 1 + loss.clipHigh), advantage);
  const kl = divergence(logProb, tokens.oldLogProb!);
  const referenceKl = tokens.refLogProb && divergence(logProb, tokens.refLogProb);
  let tokenLoss = neg(minimum(plain, clipped));
  if (referenceKl) tokenLoss = add(tokenLoss, mul(referenceKl, loss.klCoef));
  if (loss.entropyCoef > 0) tokenLoss = sub(tokenLoss, mul(tokens.entropy, loss.entropyCoef));
  const held = cast(less(clipped, plain), 'float32');
  return {
    loss: weighted(tokenLoss),
    ratio: weighted(ratio),
    clip_fraction: weighted(held),
    kl: weighted(kl),
    ...(referenceKl ? { reference_kl: weighted(referenceKl) } : {}),
  };
}

/** k3: exp(d) - d - 1 with d = other - logProb; never negative, unbiased for KL(policy || other). */
function divergence(logProb: Value, other: Value): Value {
  const difference = sub(other, logProb);
  return sub(sub(exp(difference), difference), 1);
}
