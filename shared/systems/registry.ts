/** Every system under comparison, by name. */
import { DomainError } from '../errors.ts';
import { adas } from './adas.ts';
import { aflow } from './aflow.ts';
import { metaAgentX, untrainedDesigner } from './designed.ts';
import { debateTeam, ensembleTeam, reflectionTeam } from './fixed-teams.ts';
import { maas } from './maas.ts';
import type { SearchStrategy } from './search.ts';
import { selfConsistency } from './self-consistency.ts';
import { singleAgent } from './single-agent.ts';
import type { Budget, FixedSystem, System } from './system.ts';
import { scoreFlow, singleAgentGrpo } from './trained.ts';

export const systems: readonly System[] = [
  singleAgent,
  selfConsistency,
  ensembleTeam,
  debateTeam,
  reflectionTeam,
  singleAgentGrpo,
  scoreFlow,
  aflow,
  adas,
  maas,
  untrainedDesigner,
  metaAgentX,
];

/** Throws `InvalidInput` with the names that there are. */
export function systemOf(name: string): System {
  const found = systems.find((system) => system.name === name);
  if (found !== undefined) return found;
  const names = systems.map((system) => system.name).join(', ');
  throw new DomainError('InvalidInput', `there is no system '${name}': expected one of ${names}`, { name });
}

const strategies: Readonly<Record<string, SearchStrategy>> = { aflow, adas };

/** Throws `InvalidInput` where the system is not a search for a script. */
export function searchStrategyOf(name: string): SearchStrategy {
  const found = strategies[name];
  if (found === undefined) throw new DomainError('InvalidInput', `system '${name}' does not search for a script`);
  return found;
}

/** Parses `calls=8` or `tokens=4000`. Throws `InvalidInput`. */
export function parseBudget(text: string): Budget {
  const match = /^(calls|tokens)=(\d{1,9})$/.exec(text);
  const amount = Number(match?.[2]);
  if (match === null || !(amount > 0)) {
    throw new DomainError('InvalidInput', `budget '${text}' is not calls=N or tokens=N with N from 1`, { text });
  }
  return { unit: match[1] as Budget['unit'], amount };
}

/** Throws `InvalidInput` where a fixed system cannot be built within the budget. */
export function checkBudget({ name, leastCalls, sizedByTokens }: FixedSystem, budget: Budget | null): void {
  if (budget?.unit === 'tokens' && !sizedByTokens) {
    throw new DomainError(
      'InvalidInput',
      `system '${name}' is sized by calls, not by tokens: give --budget calls=N, or compare with self-consistency`,
      { name, budget },
    );
  }
  if (budget?.unit === 'calls' && budget.amount < leastCalls) {
    throw new DomainError('InvalidInput', `system '${name}' needs a budget of at least ${leastCalls} calls`, {
      name,
      budget,
    });
  }
}
