/**
 * Searching for one script with a frozen policy: what a strategy knows and says. The loop around it (propose, execute on
 * training questions, score) is the same for all; a strategy only chooses what is tried next. Pure.
 */
import type { PromptForm } from '../script/prompts.ts';

/** A script that was tried, with what came of it. */
export interface Candidate {
  /** From 0, in the order of trying. */
  number: number;
  /** The candidate that it was made from. */
  parent: number | null;
  origin: Proposal['type'];
  /** Null where the proposer's reply held none. */
  script: string | null;
  /** Why it may not run; null where it may. */
  refusal: string | null;
  /** Share of right answers on the search's questions; 0 for one that may not run. */
  score: number;
}

/** What to try next. */
export type Proposal =
  | { type: 'given'; script: string }
  /** The policy is shown candidates with their scores and asked for a better script; documented prompts only. */
  | { type: 'rewrite'; parent: number | null; shown: number[] }
  /** The Designer writes one for a training question, as it does in training. */
  | { type: 'sample' }
  /** A small change by program. */
  | { type: 'edit'; parent: number };

export interface SearchStrategy {
  /** Scripts tried first. */
  seeds(form: PromptForm): string[];
  /** The next proposal after the seeds; every draw follows from `seedKey`. */
  next(candidates: readonly Candidate[], form: PromptForm, seedKey: string): Proposal;
}

/** The best candidate: highest score, the earliest of equals. Undefined where none may run. */
export function bestOf(candidates: readonly Candidate[]): (Candidate & { script: string }) | undefined {
  let best: (Candidate & { script: string }) | undefined;
  for (const candidate of candidates) {
    const { script, refusal, score } = candidate;
    if (script === null || refusal !== null) continue;
    if (best === undefined || score > best.score) best = { ...candidate, script };
  }
  return best;
}

/** What comes next: the seeds in order, then what the strategy says. */
export function proposalAt(
  strategy: SearchStrategy,
  candidates: readonly Candidate[],
  form: PromptForm,
  seedKey: string,
): Proposal {
  const seed = strategy.seeds(form)[candidates.length];
  if (seed !== undefined) return { type: 'given', script: seed };
  return strategy.next(candidates, form, `${seedKey}/${candidates.length}`);
}
