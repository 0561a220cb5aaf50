/**
 * Group-normalised advantages (GRPO; paper section 3.2). A strategy is a function from the rewards of one group to their
 * advantages. A constant group and a group of one give zeros: there is nothing to compare.
 */
import type { Normalisation } from '../config/recipe.ts';

const epsilon = 1e-6;
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

export type Normalise = (rewards: readonly number[]) => { baselines: number[]; advantages: number[] };

/** (r - mean) / (std + 1e-6), sample standard deviation (n - 1). */
const byDeviation: Normalise = (rewards) => {
  const centre = mean(rewards);
  const variance = rewards.reduce((sum, reward) => sum + (reward - centre) ** 2, 0) / (rewards.length - 1);
  return {
    baselines: rewards.map(() => centre),
    advantages: rewards.map((reward) => (reward - centre) / (Math.sqrt(variance) + epsilon)),
  };
};

/** r - mean (Liu et al. 2025, Dr. GRPO: no division by the deviation). */
const byMean: Normalise = (rewards) => {
  const centre = mean(rewards);
  return { baselines: rewards.map(() => centre), advantages: rewards.map((reward) => reward - centre) };
};

/** r - mean of the others (Ahmadian et al. 2024, RLOO). */
const byOthers: Normalise = (rewards) => {
  const total = rewards.reduce((sum, reward) => sum + reward, 0);
  const baselines = rewards.map((reward) => (total - reward) / (rewards.length - 1));
  return { baselines, advantages: rewards.map((reward, index) => reward - baselines[index]!) };
};

const strategies: Record<Normalisation, Normalise> = {
  std: byDeviation,
  'mean-only': byMean,
  'leave-one-out': byOthers,
};

/** Advantages of one group's rewards, in their order. */
export function normalise(strategy: Normalisation, rewards: readonly number[]): ReturnType<Normalise> {
  const first = rewards[0];
  if (rewards.length < 2 || rewards.every((reward) => reward === first)) {
    return { baselines: [...rewards], advantages: rewards.map(() => 0) };
  }
  return strategies[strategy](rewards);
}
