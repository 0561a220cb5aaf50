/** Where the script for a question comes from, as data that a batch refers to by id. */
import type { Recipe } from '../config/recipe.ts';
import { pickScript } from './controller.ts';
import type { ControllerWeights } from './controller.ts';
import type { Budget } from './system.ts';

export type DesignSource =
  /** The policy writes one for each question. */
  | { type: 'designer' }
  /** The same for every question. */
  | { type: 'script'; script: string }
  /** A controller picks one for each question: drawn by its probabilities, or the most probable. */
  | { type: 'pool'; scripts: string[]; weights: ControllerWeights; draws: boolean };

/** The given script for a question. `seedKey` names the draw. */
export function scriptFor(
  source: Exclude<DesignSource, { type: 'designer' }>,
  question: string,
  seedKey: string,
): string {
  if (source.type === 'script') return source.script;
  return source.scripts[pickScript(source.weights, question, source.draws ? seedKey : null)]!;
}

/** A system as it answers: source and budget. */
export interface AnsweringSystem {
  /** Name in the registry. */
  system: string;
  source: DesignSource;
  budget: Budget | null;
}

/** How a run answers by itself. */
export const ownSystem = ({ designs }: Pick<Recipe, 'designs'>): AnsweringSystem => ({
  system: designs.script === undefined ? 'metaagentx' : 'given-script',
  source: designs.script === undefined ? { type: 'designer' } : { type: 'script', script: designs.script },
  budget: null,
});

/**
 * What is left of the budget for the execution when the design is there; limits are not raised by it except the number of
 * calls, which a call budget sets outright.
 */
export function limitsWithin<Limits extends { calls: number; totalTokens: number }>(
  limits: Limits,
  budget: Budget | null,
  designCost: { calls: number; tokens: number },
): Limits {
  if (budget === null) return limits;
  if (budget.unit === 'calls') return { ...limits, calls: Math.max(0, budget.amount - designCost.calls) };
  return { ...limits, totalTokens: Math.min(limits.totalTokens, Math.max(0, budget.amount - designCost.tokens)) };
}
