/** What sampling and executing share: the worker's parts, and the settings of a batch. */
import type { Role } from '../../shared/domain/role.ts';
import type { SamplingSettings } from '../../shared/domain/sampling.ts';
import type { Batch } from '../../shared/domain/tasks.ts';
import type { Recipe } from '../../shared/config/recipe.ts';
import type { PolicyResidence } from '../policy/residence.ts';
import type { Precision } from '../../shared/model/interface.ts';
import type { PolicyEngine } from '../runtime/engine/contract.ts';
import type { PythonSandbox } from '../runtime/python/contract.ts';
import type { ScriptPool } from '../runtime/script/contract.ts';
import type { CallDocument, DesignDocument, ExecutionDocument } from '../store/documents.ts';
import type { GroupCommit } from '../store/group-commit.ts';
import type { Store } from '../store/connect.ts';
import type { RunContexts } from '../run-context.ts';

export interface RolloutDeps {
  store: Store;
  runs: RunContexts;
  engine: PolicyEngine;
  policies: PolicyResidence;
  scripts: ScriptPool;
  /** The sandbox of the `python` tool; throws `SandboxUnavailable` where none can be had. */
  python: () => Promise<PythonSandbox>;
  /** The designs' way into the store. */
  designs: GroupCommit<DesignDocument>;
  /** The journal's way into the store. */
  journal: GroupCommit<CallDocument>;
  /** The way in of what executions ended with. */
  executions: GroupCommit<ExecutionDocument>;
}

/** What making a version needs of that. */
export type TrainDeps = Pick<RolloutDeps, 'store' | 'runs' | 'engine' | 'policies'>;

/** Only trajectories that are learned from may be sampled with rounded weights. */
export function weightsOf(recipe: Recipe, purpose: Batch['purpose']): Precision {
  return purpose === 'train' ? recipe.rollout.weights : 'float32';
}

/** Evaluation may sample otherwise than training does. */
export function samplingOf(recipe: Recipe, purpose: Batch['purpose'], role: Role): SamplingSettings {
  const own = purpose === 'evaluation' ? recipe.sampling.evaluation : undefined;
  return (own ?? recipe.sampling)[role];
}
