/** What an iteration keeps of its questions' rollouts: sums, and the worst few to show. Small however many there are. */
import type { HierarchicalRolloutResult } from './hierarchical-rollout.ts';

export interface WorstQuestion extends HierarchicalRolloutResult {
  slot: number;
}

export interface RolloutSums {
  questions: number;
  executions: number;
  correct: number;
  designs: number;
  validDesigns: number;
  calls: number;
  /** Lowest mean reward first. */
  worst: WorstQuestion[];
}

const worstShown = 5;

export const noRollouts: RolloutSums = {
  questions: 0,
  executions: 0,
  correct: 0,
  designs: 0,
  validDesigns: 0,
  calls: 0,
  worst: [],
};

/** With the results of the questions that come next. */
export function plusRollouts(sums: RolloutSums, results: readonly HierarchicalRolloutResult[]): RolloutSums {
  const sum = (pick: (result: Omit<HierarchicalRolloutResult, 'meanReward'>) => number) =>
    results.reduce((total, result) => total + pick(result), pick(sums));
  const placed = results.map((result, index) => ({ ...result, slot: sums.questions + index }));
  return {
    questions: sums.questions + results.length,
    executions: sum((result) => result.executions),
    correct: sum((result) => result.correct),
    designs: sum((result) => result.designs),
    validDesigns: sum((result) => result.validDesigns),
    calls: sum((result) => result.calls),
    worst: [...sums.worst, ...placed]
      .sort((a, b) => (a.meanReward ?? 0) - (b.meanReward ?? 0) || a.slot - b.slot)
      .slice(0, worstShown),
  };
}

export const rolloutMetrics = (sums: RolloutSums): Record<string, number> => ({
  executions: sums.executions,
  accuracy: sums.executions === 0 ? 0 : sums.correct / sums.executions,
  validDesigns: sums.validDesigns / sums.designs,
  calls: sums.calls,
});
