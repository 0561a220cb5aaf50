/** The system of `--system` and `--budget`, stored where its answers can refer to it. */
import { insertOnce } from '../../activities/store/write.ts';
import type { RunDocument } from '../../activities/store/documents.ts';
import type { Store } from '../../activities/store/connect.ts';
import { systemId, systemIdOfSearch } from '../../shared/domain/ids.ts';
import type { SearchPlan, SearchSettings } from '../../shared/domain/search-plan.ts';
import { DomainError } from '../../shared/errors.ts';
import { systemLabel } from '../../shared/evaluation/name.ts';
import { checkBudget, systemOf, systems } from '../../shared/systems/registry.ts';
import { ownSystem } from '../../shared/systems/source.ts';
import type { DesignSource } from '../../shared/systems/source.ts';
import type { Budget, System } from '../../shared/systems/system.ts';
import { defaultSearch } from './search.ts';
import type { GivenSearch } from './search.ts';

export interface SystemRequest {
  /** Null: the run's own designs. */
  system: System | null;
  budget: Budget | null;
  /** For systems that are searched for. */
  search: SearchSettings;
}

/** What can be refused without a server. Throws `InvalidInput`. */
export function checkSystem(
  name: string | undefined,
  budget: Budget | null,
  search: SearchSettings = defaultSearch,
): SystemRequest {
  const system = name === undefined ? null : systemOf(name);
  if (system?.kind === 'trained') {
    throw new DomainError(
      'InvalidInput',
      `system '${system.name}' is a training: start it with \`npx metaagentx train --recipe toy --system ${system.name}\` (or your own recipe), then evaluate that run`,
      { name },
    );
  }
  if (system?.kind === 'fixed') checkBudget(system, budget);
  if (system?.kind !== 'fixed' && budget?.unit === 'calls' && budget.amount < 2) {
    throw new DomainError('InvalidInput', 'a budget of at least 2 calls is needed: a design and an agent', { budget });
  }
  return { system, budget, search };
}

/** Throws `InvalidInput` where settings of a search are given and nothing is searched for; `nameOf` is how one is given. */
export function checkSearch(system: System | null, given: GivenSearch, nameOf: (setting: string) => string): void {
  if (system?.kind === 'searched') return;
  const names = Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([setting]) => nameOf(setting));
  if (names.length === 0) return;
  const searched = systems.filter(({ kind }) => kind === 'searched').map(({ name }) => name);
  throw new DomainError(
    'InvalidInput',
    `of no effect without a system that is searched for (${searched.join(', ')}): ${names.join(', ')}. Name one of these, or leave that out`,
    { names },
  );
}

export interface AnsweringReference {
  /** Name in the registry, and the label of its measurements. */
  name: string;
  label: string;
  /** What its answers refer to; none for the run's own designs without a budget. */
  id?: string;
}

/** Stores a system that needs no search. */
export async function storeSystem(
  store: Store,
  run: RunDocument,
  { system, budget }: Pick<SystemRequest, 'system' | 'budget'>,
): Promise<AnsweringReference> {
  const own = ownSystem(run.recipe);
  const name = system?.name ?? own.system;
  const label = systemLabel(name, budget);
  if (name === own.system && budget === null) return { name, label };
  const source = system === null ? own.source : sourceOf(system, run, budget);
  const id = systemId(run._id, label);
  await insertOnce(store.systems, { _id: id, runId: run._id, system: name, source, budget });
  return { name, label, id };
}

/** How a system that was searched for is referred to. */
export const searchedReference = (plan: Pick<SearchPlan, 'searchId'>, name: string): AnsweringReference => {
  const id = systemIdOfSearch(plan.searchId);
  return { name, label: id.slice(id.lastIndexOf('/system-') + '/system-'.length), id };
};

function sourceOf(system: System, { recipe }: RunDocument, budget: Budget | null): DesignSource {
  if (system.kind !== 'fixed') return { type: 'designer' };
  const { form } = recipe.prompts;
  return { type: 'script', script: system.script({ form, budget, callLimit: recipe.limits.calls }) };
}
