/** The system of `--system` and `--budget`, stored where its answers can refer to it. */
import { insertOnce } from '../../activities/store/write.ts';
import type { RunDocument } from '../../activities/store/documents.ts';
import type { Store } from '../../activities/store/connect.ts';
import { systemId } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import { systemLabel } from '../../shared/evaluation/name.ts';
import { checkBudget, systemOf } from '../../shared/systems/registry.ts';
import { ownSystem } from '../../shared/systems/source.ts';
import type { DesignSource } from '../../shared/systems/source.ts';
import type { Budget, System } from '../../shared/systems/system.ts';

export interface SystemRequest {
  /** Null: the run's own designs. */
  system: System | null;
  budget: Budget | null;
}

/** What can be refused without a server. Throws `InvalidInput`. */
export function checkSystem(name: string | undefined, budget: Budget | null): SystemRequest {
  const system = name === undefined ? null : systemOf(name);
  if (system?.kind === 'trained') {
    throw new DomainError(
      'InvalidInput',
      `system '${system.name}' is a training: start it with \`npx metaagentx train --system ${system.name}\`, then evaluate that run`,
      { name },
    );
  }
  if (system?.kind === 'fixed') checkBudget(system, budget);
  if (system?.kind !== 'fixed' && budget?.unit === 'calls' && budget.amount < 2) {
    throw new DomainError('InvalidInput', 'a budget of at least 2 calls is needed: a design and an agent', { budget });
  }
  return { system, budget };
}

/** The system's name in this run, and the id that its answers refer to; no id for the run's own designs without a budget. */
export async function storeSystem(
  store: Store,
  run: RunDocument,
  { system, budget }: SystemRequest,
): Promise<{ name: string; id?: string }> {
  const own = ownSystem(run.recipe);
  const name = system?.name ?? own.system;
  if (name === own.system && budget === null) return { name };
  const source = system === null ? own.source : sourceOf(system, run, budget);
  const id = systemId(run._id, systemLabel(name, budget));
  await insertOnce(store.systems, { _id: id, runId: run._id, system: name, source, budget });
  return { name, id };
}

function sourceOf(system: System, { recipe }: RunDocument, budget: Budget | null): DesignSource {
  if (system.kind !== 'fixed') return { type: 'designer' };
  const { form } = recipe.prompts;
  return { type: 'script', script: system.script({ form, budget, callLimit: recipe.limits.calls }) };
}
