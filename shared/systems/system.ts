/**
 * What a system under comparison is: a way to come to a script for a question, with the paper it follows and where it
 * departs from it. All systems answer through the same engine, limits and records; only the script's origin differs.
 */
import type { Recipe } from '../config/recipe.ts';
import type { PromptForm } from '../script/prompts.ts';

/** What one answer may cost, the Designer's own call or tokens included. */
export interface Budget {
  unit: 'calls' | 'tokens';
  amount: number;
}

export interface SystemNote {
  name: string;
  summary: string;
  /** Authors, year, arXiv number; null for what nobody published first. */
  paper: string | null;
  /** Where we do otherwise than the paper, or cannot tell. */
  departures: readonly string[];
}

export interface FixedRequest {
  form: PromptForm;
  /** Null: the system's own size. */
  budget: Budget | null;
  /** Model calls that a script may make, at most. */
  callLimit: number;
}

/** One script for every question; nothing is learned or searched. */
export interface FixedSystem extends SystemNote {
  kind: 'fixed';
  /** Fewest model calls that it can be built with. */
  leastCalls: number;
  /** Whether it can be sized by tokens. */
  sizedByTokens: boolean;
  script(request: FixedRequest): string;
}

/** The policy's Designer writes a script for each question. */
export interface DesignedSystem extends SystemNote {
  kind: 'designed';
  /** `pinned`: the version the user names; `untrained`: the one after the cold start. */
  version: 'pinned' | 'untrained';
}

/** Scripts are found with a frozen policy, by executing them on training questions. */
export interface SearchedSystem extends SystemNote {
  kind: 'searched';
}

/** A training with changes of the recipe; what it trained is then evaluated like any run. */
export interface TrainedSystem extends SystemNote {
  kind: 'trained';
  /** `path=value` changes of the recipe; as many iterations in all as it had. */
  changes(recipe: Recipe): readonly string[];
}

export type System = FixedSystem | DesignedSystem | SearchedSystem | TrainedSystem;
