/**
 * Which fields of a recipe may change while its run goes on: those that say how the next iterations are made, and none
 * by which what is stored is named, drawn, rewarded or counted.
 */
import type { RunPlan } from '../domain/plan.ts';
import { DomainError } from '../errors.ts';

export interface FieldChange {
  /** `update.learningRate` */
  path: string;
  before: unknown;
  after: unknown;
}

/** A name stands for itself and everything below it. */
export const changeableFields: readonly string[] = [
  'description',
  'update',
  'sampling.designer',
  'sampling.executor',
  'limits',
  'retention',
  'rollout.concurrentQuestions',
  'stages.iterationsPerStage',
  'stages.count',
];

/** Leaves that differ, in the order of their paths; a list is a leaf. */
export function changedFields(before: unknown, after: unknown, path = ''): FieldChange[] {
  if (isBranch(before) && isBranch(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => changedFields(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  return JSON.stringify(before) === JSON.stringify(after)
    ? []
    : [{ path, before: before ?? null, after: after ?? null }];
}

const isBranch = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** Throws `InvalidConfig` naming every field that may not change. */
export function checkChangeable(runId: string, changes: readonly FieldChange[]): void {
  const refuse = (message: string): never => {
    throw new DomainError('InvalidConfig', message, { runId });
  };
  if (changes.length === 0) refuse(`--set changes nothing: run '${runId}' has these values already`);
  const fixed = changes
    .map(({ path }) => path)
    .filter((path) => !changeableFields.some((field) => path === field || path.startsWith(`${field}.`)));
  if (fixed.length === 0) return;
  refuse(
    `run '${runId}' cannot go on with another ${fixed.join(', ')}: what is stored was made with it. Changeable: ${changeableFields.join(', ')}. Try it in a run of its own: npx metaagentx fork ${runId}@latest --run-id NEW --set ${fixed[0]}=VALUE`,
  );
}

/** `done`: committed iterations of each stage. Throws `InvalidConfig` where a stage that has begun would be another one. */
export function checkStages(runId: string, before: RunPlan, after: RunPlan, done: readonly number[]): void {
  before.stages.forEach((stage, index) => {
    if ((done[index] ?? 0) === 0) return;
    const next = after.stages[index];
    if (next?.learner === stage.learner && next.iterations === stage.iterations) return;
    const would = next === undefined ? 'no longer be there' : `have ${next.iterations} iterations`;
    throw new DomainError(
      'InvalidConfig',
      `stage ${stage.stage} of run '${runId}' has begun with ${stage.iterations} iterations and would ${would}: only stages that have not begun can change, e.g. --set stages.count=${before.stages.length + 1}`,
      { runId, stage: stage.stage },
    );
  });
}
