/** Which role learns when (paper section 3.3: stagewise co-evolution; the Executor first). */
import type { Role } from '../domain/role.ts';
import type { StagePlan } from '../domain/plan.ts';

export interface StageSettings {
  scheme: 'stagewise' | 'coupled' | 'executor-only' | 'designer-only';
  first: Role;
  iterationsPerStage: number;
  count: number;
}

const other = (role: Role): Role => (role === 'executor' ? 'designer' : 'executor');

/** The stages of a run in order; they count from 1. */
export function planStages({ scheme, first, iterationsPerStage, count }: StageSettings): StagePlan[] {
  const learnerOf = (index: number) => {
    if (scheme === 'coupled') return 'both';
    if (scheme === 'executor-only') return 'executor';
    if (scheme === 'designer-only') return 'designer';
    return index % 2 === 0 ? first : other(first);
  };
  return Array.from({ length: count }, (_, index) => ({
    stage: index + 1,
    learner: learnerOf(index),
    iterations: iterationsPerStage,
  }));
}
