import { describe, expect, it } from 'vitest';
import { drawQuestions } from './draw-questions.ts';
import { planStages } from './stage-plan.ts';

describe('planStages', () => {
  it('alternates from the first role', () => {
    const learners = (first: 'executor' | 'designer') =>
      planStages({ scheme: 'stagewise', first, iterationsPerStage: 5, count: 3 }).map((stage) => stage.learner);
    expect(learners('executor')).toEqual(['executor', 'designer', 'executor']);
    expect(learners('designer')).toEqual(['designer', 'executor', 'designer']);
  });

  it('gives ablations one learner', () => {
    const plan = planStages({ scheme: 'coupled', first: 'executor', iterationsPerStage: 7, count: 1 });
    expect(plan).toEqual([{ stage: 1, learner: 'both', iterations: 7 }]);
  });
});

describe('drawQuestions', () => {
  it('draws every question once a pass, whatever the batch borders', () => {
    const whole = drawQuestions(3, 10, 0, 20);
    expect([...whole.slice(0, 10)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...whole.slice(10)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...drawQuestions(3, 10, 0, 7), ...drawQuestions(3, 10, 7, 13)]).toEqual(whole);
    expect(drawQuestions(4, 10, 0, 10)).not.toEqual(whole.slice(0, 10));
  });
});
