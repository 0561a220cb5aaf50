/**
 * What the Executor is shown to say in the cold start: answers of deliberately mediocre quality. The system prompt's word
 * chooses a manner; each manner works carefully, slips, or guesses, in shares that are settings. Knows no scripts.
 */
import { work, type Operator } from './kinds.ts';
import type { Draws } from './draws.ts';
import type { ToyProblem } from './questions.ts';

/** Words a Designer may put into an agent's prompt: work it out, as you like, answer at once. */
export const manners = ['steps', 'plain', 'fast'] as const;
export type Manner = (typeof manners)[number];

/** Shares in [0, 1]. Where an answer is not worked out it is given at once. */
export interface AnswerQuality {
  /** Share of answers with worked operations, by manner. */
  works: Readonly<Record<Manner, number>>;
  /** Share of worked answers in which one result is wrong. */
  slips: number;
}

/** `3*4=12;12+5=17;#### 17`, or `#### 17` when nothing is worked out. The last line format is that of GSM8K. */
export function renderAnswer(
  steps: readonly { left: number; operator: Operator; right: number; result: number }[],
  answer: number,
): string {
  const lines = steps.map(({ left, operator, right, result }) => `${left}${operator}${right}=${result};`);
  return `${lines.join('')}#### ${answer}`;
}

const slipSizes = [-10, -2, -1, 1, 2, 10] as const;

/** A result that is wrong by a typical slip and not negative. */
function slipped(result: number, draws: Draws): number {
  const wrong = result + draws.pick(slipSizes);
  return wrong >= 0 ? wrong : result + 1;
}

/** An answer to `problem` in the manner, by the quality's shares. */
export function drawAnswer(problem: ToyProblem, manner: Manner, quality: AnswerQuality, draws: Draws): string {
  if (!draws.chance(quality.works[manner])) return renderAnswer([], problem.answer);
  const slipAt = draws.chance(quality.slips) ? draws.between(0, problem.kind.plan.length - 1) : -1;
  const steps = work(problem.kind.plan, problem.numbers, (result, index) =>
    index === slipAt ? slipped(result, draws) : result,
  );
  return renderAnswer(steps, steps.at(-1)!.result);
}
