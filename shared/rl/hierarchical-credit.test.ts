import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignQuestionCredit } from './hierarchical-credit.ts';
import type { DesignRewards } from './hierarchical-credit.ts';

const design = (index: number, rewards: number[]): DesignRewards => ({
  designId: `q/d-${index}`,
  executions: rewards.map((reward, execution) => ({ executionId: `q/d-${index}/e-${execution}`, reward })),
});
const standard = { designer: 'std', executor: { group: 'question', normalise: 'std' } } as const;

describe('assignQuestionCredit', () => {
  // By hand: R = [1, 0.5, 0]; mean 0.5, sample std 0.5 → advantages 1, 0, -1 (over 0.5 + 1e-6).
  // Executions 1 1 1 0 0 0: mean 0.5, sample std sqrt(6 * 0.25 / 5) = 0.5477226.
  const credit = assignQuestionCredit('q', [design(0, [1, 1]), design(1, [1, 0]), design(2, [0, 0])], standard);

  it('normalises designs over the question', () => {
    expect(credit.designs.map((entry) => entry.reward)).toEqual([1, 0.5, 0]);
    expect(credit.designs.map((entry) => entry.advantage)).toEqual([0.5 / (0.5 + 1e-6), 0, -0.5 / (0.5 + 1e-6)]);
    expect(credit.designs.every((entry) => entry.baseline === 0.5 && entry.groupSize === 3)).toBe(true);
  });

  it('normalises executions over the whole question', () => {
    const expected = 0.5 / (Math.sqrt(0.3) + 1e-6);
    const signs = [1, 1, 1, -1, -1, -1];
    credit.executions.forEach((entry, index) => expect(entry.advantage).toBeCloseTo(signs[index]! * expected, 12));
  });

  it('keeps an invalid design in its group with reward 0 and no executions', () => {
    const withInvalid = assignQuestionCredit('q', [design(0, [1, 0]), design(1, [])], standard);
    // R = [0.5, 0]: mean 0.25, sample std 0.3535534.
    expect(withInvalid.designs[1]!.reward).toBe(0);
    expect(withInvalid.designs[1]!.advantage).toBeCloseTo(-0.25 / (0.35355339059 + 1e-6), 9);
    expect(withInvalid.executions).toHaveLength(2);
  });

  it('gives zero to constant and single groups', () => {
    const constant = assignQuestionCredit('q', [design(0, [1, 1]), design(1, [1, 1])], standard);
    expect([...constant.designs, ...constant.executions].map((entry) => entry.advantage)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(assignQuestionCredit('q', [design(0, [1])], standard).designs[0]!.advantage).toBe(0);
  });

  it('has per-design groups, mean-only and leave-one-out as strategies', () => {
    const perDesign = assignQuestionCredit('q', [design(0, [1, 0]), design(1, [1, 1])], {
      designer: 'mean-only',
      executor: { group: 'design', normalise: 'leave-one-out' },
    });
    // Leave-one-out within a design of two: the other's reward is the baseline.
    expect(perDesign.executions.map((entry) => entry.advantage)).toEqual([1, -1, 0, 0]);
    expect(perDesign.designs.map((entry) => entry.advantage)).toEqual([-0.25, 0.25]);
  });

  it('weighs executions equally and sums to zero in every group', () => {
    const rewards = fc.array(fc.array(fc.constantFrom(0, 0.25, 0.5, 1), { maxLength: 5 }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(rewards, (tree) => {
        const result = assignQuestionCredit(
          'q',
          tree.map((list, index) => design(index, list)),
          standard,
        );
        const sum = (list: { advantage: number }[]) => list.reduce((total, entry) => total + entry.advantage, 0);
        expect(Math.abs(sum(result.designs))).toBeLessThan(1e-9);
        expect(Math.abs(sum(result.executions))).toBeLessThan(1e-9);
      }),
    );
  });
});
