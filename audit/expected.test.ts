import { describe, expect, it } from 'vitest';
import type { RunDocument } from '../activities/store/documents.ts';
import type { RunPlan } from '../shared/domain/plan.ts';
import { expectedOf } from './expected.ts';

const rollout = { designsPerQuestion: 2, executionsPerDesign: 3, questionsPerIteration: 4 };
const stages = [
  { stage: 1, learner: 'executor', iterations: 2 },
  { stage: 2, learner: 'designer', iterations: 3 },
];

function namesOf(evaluation: Partial<RunPlan['evaluation']>): string[] {
  const plan = {
    rollout,
    stages,
    coldStartChunks: 1,
    evaluation: { questions: 5, samples: 3, everyIterations: 0, ...evaluation },
  };
  return expectedOf({ _id: 'run', plan } as unknown as RunDocument).evaluations.map(
    ({ name, policyVersion }) => `${name} v${policyVersion}`,
  );
}

describe('the evaluations that a plan demands', () => {
  it('are after the cold start and at the end of each stage, of the version of that moment', () => {
    expect(namesOf({})).toEqual(['cold-start v1', 'stage-01 v3', 'stage-02 v6']);
  });

  it('leave out the ends of stages before the last where the plan says so', () => {
    expect(namesOf({ stageEnds: 'last' })).toEqual(['cold-start v1', 'stage-02 v6']);
  });

  it('come every so many iterations too, never twice at an end', () => {
    expect(namesOf({ everyIterations: 2 })).toEqual([
      'cold-start v1',
      'stage-01 v3',
      'stage-02-iter-002 v5',
      'stage-02 v6',
    ]);
  });

  it('are none without held-out questions', () => {
    expect(namesOf({ questions: 0 })).toEqual([]);
  });
});
