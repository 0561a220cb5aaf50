/** Speed and remaining time against numbers computed by hand. */
import { describe, expect, it } from 'vitest';
import type { RunPlan } from '../shared/domain/plan.ts';
import { paceOf } from './pace.ts';
import type { PacedIteration } from './pace.ts';

const at = (seconds: number) => new Date(1_000_000 + 1000 * seconds);
const plan: Pick<RunPlan, 'stages' | 'evaluation'> = {
  stages: [
    { stage: 1, learner: 'executor', iterations: 4 },
    { stage: 2, learner: 'designer', iterations: 4 },
  ],
  evaluation: { samples: 3, questions: 8, questionsPerBatch: 8, concurrentBatches: 1, everyIterations: 0 },
};
/** Began and was committed at these seconds; 300 tokens of designs and 1,700 of executions in 8 s of rollout. */
const iteration = (from: number, to: number): PacedIteration => ({
  committedAt: at(to),
  facts: {
    startedAt: at(from),
    rolloutMs: 8_000,
    patterns: {},
    outcomes: {},
    designerTokens: 300,
    executorTokens: 1_700,
  },
});
const coldStart = { name: 'cold-start', versionAt: at(0), recordedAt: at(20) };
// 10, 12 and 40 seconds: the median is 12.
const iterations = [iteration(20, 30), iteration(30, 42), iteration(42, 82)];

describe('pace', () => {
  it('is what is left times the medians, less what the step in progress has taken', () => {
    // 5 iterations of 12 s and 2 evaluations of 20 s are to come; 7 s of the fourth iteration have passed.
    const pace = paceOf(plan, { iterations, evaluations: [coldStart] }, false, at(89));
    expect(pace).toEqual({ tokensPerSecond: 250, etaMs: 1000 * (5 * 12 + 2 * 20 - 7) });
  });

  it('does not count a wait as progress', () => {
    const later = paceOf(plan, { iterations, evaluations: [coldStart] }, false, at(9_000));
    expect(later.etaMs).toBe(1000 * (5 * 12 + 2 * 20 - 12));
    const evaluating = paceOf(plan, { iterations, evaluations: [coldStart] }, true, at(9_000));
    expect(evaluating.etaMs).toBe(1000 * (5 * 12 + 2 * 20 - 20));
  });

  it('knows the newest five iterations only', () => {
    const slow = Array.from({ length: 2 }, (_, index) => iteration(100 * index, 100 * index + 90));
    const fast = [3, 4, 5, 6, 7].map((seconds, index) => iteration(200 + 10 * index, 200 + 10 * index + seconds));
    const pace = paceOf(plan, { iterations: [...slow, ...fast], evaluations: [coldStart] }, false, at(247));
    // Median 5 s; one iteration and two evaluations of 20 s are left.
    expect(pace.etaMs).toBe(1000 * (5 + 40));
  });

  it('says nothing before the first iteration, and nothing is left at the end', () => {
    const none = paceOf(plan, { iterations: [], evaluations: [coldStart] }, false, at(25));
    expect(none).toEqual({ tokensPerSecond: null, etaMs: null });
    const all = Array.from({ length: 8 }, (_, index) => iteration(20 + 10 * index, 30 + 10 * index));
    const evaluations = ['cold-start', 'stage-01', 'stage-02'].map((name) => ({ ...coldStart, name }));
    expect(paceOf(plan, { iterations: all, evaluations }, false, at(100)).etaMs).toBe(0);
  });
});
