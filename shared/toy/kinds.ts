/**
 * The kinds of toy word problems: how their numbers are drawn, how they are worded, and which operations solve them.
 * Small numbers and short texts, so that a policy of under a million parameters learns them in about a minute. Knows
 * nothing of splits, models or scripts.
 */
import type { Draws } from './draws.ts';

export type Operator = '+' | '-' | '*';

/** One operation; an operand is a number of the question (its index) or the result of an earlier step. */
export interface PlannedStep {
  left: Operand;
  operator: Operator;
  right: Operand;
}
export type Operand = { number: number } | { step: number };

export interface ToyKind {
  name: string;
  /** Number of operations. */
  difficulty: number;
  draw(draws: Draws): number[];
  /** Wordings; `N` is a person, `O` an object, `$0` to `$3` the numbers. */
  templates: readonly string[];
  plan: readonly PlannedStep[];
}

export const people = ['Tom', 'Ann', 'Ben', 'Eva', 'Sam', 'Mia'] as const;
export const objects = ['pens', 'cups', 'nuts', 'eggs', 'toys', 'hats'] as const;

const number = (index: number): Operand => ({ number: index });
const step = (index: number): Operand => ({ step: index });
const doing = (left: Operand, operator: Operator, right: Operand): PlannedStep => ({ left, operator, right });

/** Difference of at least 2 that takes away at most 6. */
const taken = (draws: Draws, from: number) => draws.between(2, Math.min(6, from - 2));
const added = (draws: Draws) => draws.between(2, 6);
const factor = (draws: Draws) => draws.between(2, 5);

export const toyKinds: readonly ToyKind[] = [
  {
    name: 'more',
    difficulty: 1,
    draw: (draws) => [draws.between(2, 12), added(draws)],
    templates: ['N has $0 O and gets $1 more. How many O?', 'N has $0 O. Then N finds $1 O. How many O?'],
    plan: [doing(number(0), '+', number(1))],
  },
  {
    name: 'less',
    difficulty: 1,
    draw: (draws) => {
      const all = draws.between(4, 16);
      return [all, taken(draws, all)];
    },
    templates: ['N has $0 O and loses $1. How many O are left?', 'N has $0 O. Then N sells $1 O. How many O?'],
    plan: [doing(number(0), '-', number(1))],
  },
  {
    name: 'groups',
    difficulty: 1,
    draw: (draws) => [factor(draws), factor(draws)],
    templates: ['N has $0 bags of $1 O. How many O?', '$0 bags hold $1 O each. How many O?'],
    plan: [doing(number(0), '*', number(1))],
  },
  {
    name: 'more-less',
    difficulty: 2,
    draw: (draws) => {
      const first = draws.between(2, 9);
      const second = added(draws);
      return [first, second, taken(draws, first + second)];
    },
    templates: [
      'N has $0 O and gets $1 more. Then N loses $2. How many O are left?',
      'N finds $0 O, gets $1 O and sells $2 O. How many O?',
    ],
    plan: [doing(number(0), '+', number(1)), doing(step(0), '-', number(2))],
  },
  {
    name: 'groups-more',
    difficulty: 2,
    draw: (draws) => [factor(draws), factor(draws), added(draws)],
    templates: [
      'N has $0 bags of $1 O and gets $2 more. How many O?',
      '$0 bags hold $1 O each. N finds $2 O. How many O?',
    ],
    plan: [doing(number(0), '*', number(1)), doing(step(0), '+', number(2))],
  },
  {
    name: 'groups-less',
    difficulty: 2,
    draw: (draws) => {
      const bags = factor(draws);
      const each = factor(draws);
      return [bags, each, taken(draws, bags * each)];
    },
    templates: [
      'N has $0 bags of $1 O and loses $2. How many O are left?',
      '$0 bags hold $1 O each. N sells $2 O. How many O?',
    ],
    plan: [doing(number(0), '*', number(1)), doing(step(0), '-', number(2))],
  },
  {
    name: 'groups-more-less',
    difficulty: 3,
    draw: (draws) => {
      const bags = factor(draws);
      const each = factor(draws);
      const more = added(draws);
      return [bags, each, more, taken(draws, bags * each + more)];
    },
    templates: [
      'N has $0 bags of $1 O and gets $2 more. Then N loses $3. How many O are left?',
      '$0 bags hold $1 O each. N finds $2 O and sells $3 O. How many O?',
    ],
    plan: [doing(number(0), '*', number(1)), doing(step(0), '+', number(2)), doing(step(1), '-', number(3))],
  },
];

/** A worked operation with its true result. */
export interface WorkedStep {
  left: number;
  operator: Operator;
  right: number;
  result: number;
}

export function compute(left: number, operator: Operator, right: number): number {
  if (operator === '+') return left + right;
  return operator === '-' ? left - right : left * right;
}

/** Works the plan out. `change` may replace a step's result (a slip); later steps go on from the replaced one. */
export function work(
  plan: readonly PlannedStep[],
  numbers: readonly number[],
  change: (result: number, index: number) => number = (result) => result,
): WorkedStep[] {
  const done: WorkedStep[] = [];
  const value = (operand: Operand) => ('number' in operand ? numbers[operand.number]! : done[operand.step]!.result);
  plan.forEach((planned, index) => {
    const left = value(planned.left);
    const right = value(planned.right);
    const result = change(compute(left, planned.operator, right), index);
    done.push({ left, operator: planned.operator, right, result });
  });
  return done;
}
