import { expect, it } from 'vitest';
import type { RunPlan } from '../domain/plan.ts';
import { plannedEvaluations } from './planned-evaluations.ts';

const plan: Pick<RunPlan, 'stages' | 'evaluation'> = {
  stages: [
    { stage: 1, learner: 'executor', iterations: 4 },
    { stage: 2, learner: 'designer', iterations: 4 },
  ],
  evaluation: { samples: 3, questions: 8, questionsPerBatch: 8, concurrentBatches: 1, everyIterations: 0 },
};

it('counts the evaluations of the plan', () => {
  const evaluation = { ...plan.evaluation, everyIterations: 2 };
  const names = plannedEvaluations({ ...plan, evaluation });
  expect(names).toEqual(['cold-start', 'stage-01-iter-002', 'stage-01', 'stage-02-iter-002', 'stage-02']);
  expect(plannedEvaluations({ ...plan, evaluation: { ...evaluation, everyIterations: 0, stageEnds: 'last' } })).toEqual(
    ['cold-start', 'stage-02'],
  );
  expect(plannedEvaluations({ ...plan, evaluation: { ...evaluation, questions: 0 } })).toEqual([]);
});
