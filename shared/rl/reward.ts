/**
 * Execution reward: the verifier's ratio and configured format terms, all judged on the typed final reply alone. What a
 * script prints, throws or returns by itself never reaches this file.
 */
import type { Verdict } from '../domain/question.ts';

export interface RewardSettings {
  correctness: number;
  answered: number;
}

/** One line of a reward: which term, what it added. */
export interface RewardTerm {
  term: keyof RewardSettings;
  value: number;
}

/** `verdict` is null where the execution ended without a reply. */
export function rewardExecution(
  verdict: Verdict | null,
  settings: RewardSettings,
): { reward: number; terms: RewardTerm[] } {
  const terms: RewardTerm[] = [
    { term: 'correctness', value: settings.correctness * (verdict?.ratio ?? 0) },
    { term: 'answered', value: verdict?.answer == null ? 0 : settings.answered },
  ];
  return { reward: terms.reduce((sum, entry) => sum + entry.value, 0), terms };
}
