import type { RunPlan } from '../domain/plan.ts';

/** Names of all evaluations that the plan holds, in their order. */
export function plannedEvaluations({ stages, evaluation }: Pick<RunPlan, 'stages' | 'evaluation'>): string[] {
  if (evaluation.questions === 0) return [];
  const every = evaluation.everyIterations;
  const ofStages = stages.flatMap(({ stage, iterations }) => {
    const name = `stage-${String(stage).padStart(2, '0')}`;
    const within = Array.from({ length: iterations - 1 }, (_, index) => index + 1)
      .filter((iteration) => every > 0 && iteration % every === 0)
      .map((iteration) => `${name}-iter-${String(iteration).padStart(3, '0')}`);
    return evaluation.stageEnds === 'last' && stage !== stages.length ? within : [...within, name];
  });
  return ['cold-start', ...ofStages];
}
