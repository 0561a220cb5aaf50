/**
 * What Temporal says of a run: every workflow of a finished run has completed, and nothing that an activity had completed
 * was done again. A run that was started anew meets stored work again; then nothing new may have been written for it.
 */
import type { Client } from '@temporalio/client';
import { designId, rolloutId, stageWorkflowId } from '../shared/domain/ids.ts';
import type { RunDocument } from '../activities/store/documents.ts';
import type { Expected } from './expected.ts';
import { opened, readActivities } from './history.ts';
import type { ActivityFacts } from './history.ts';
import type { Findings } from './report.ts';
import { rolloutsOf } from './tree.ts';
import type { Tree } from './tree.ts';

/** When the newest document of a piece of work was written, in milliseconds since the epoch. */
export class LastWritten {
  readonly #times = new Map<string, number>();

  tree({ designs, executions, calls, verdicts }: Tree): void {
    for (const { rolloutId, createdAt } of designs.values()) this.#note(`designs ${rolloutId}`, createdAt);
    for (const { _id, rolloutId, designId, createdAt } of executions.values()) {
      for (const at of [createdAt, ...(calls.get(_id) ?? []).map((call) => call.createdAt)]) {
        this.#note(`executions ${designId}`, at);
        this.#note(`executions of ${rolloutId}`, at);
      }
    }
    for (const { rolloutId, createdAt } of verdicts.values()) this.#note(`verdicts ${rolloutId}`, createdAt);
  }

  /** Null where nothing was written or the activity writes nothing of this kind. */
  by({ type, input }: ActivityFacts): number | null {
    const { batchId, slot, design, slots } = input as { batchId: string; slot: number; design: number; slots: unknown };
    if (type === 'sampleDesigns') return this.#of([`designs ${rolloutId(batchId, slot)}`]);
    if (type === 'executeDesign') return this.#of([`executions ${designId(rolloutId(batchId, slot), design)}`]);
    if (type === 'rollOut') {
      const rollout = rolloutId(batchId, slot);
      return this.#of([`designs ${rollout}`, `executions of ${rollout}`]);
    }
    if (type !== 'verifyBatch' || !Array.isArray(slots)) return null;
    return this.#of((slots as { slot: number }[]).map((each) => `verdicts ${rolloutId(batchId, each.slot)}`));
  }

  #note(key: string, at: Date): void {
    this.#times.set(key, Math.max(this.#times.get(key) ?? 0, at.getTime()));
  }

  #of(keys: string[]): number | null {
    const times = keys.map((key) => this.#times.get(key)).filter((time) => time !== undefined);
    return times.length === 0 ? null : Math.max(...times);
  }
}

/** Clocks of two machines may differ by this much. */
const clockSkewMs = 1_000;
const openAtOnce = 8;
/** They only read what stands in the store by then, and are asked before every batch. */
const askedAgain: readonly string[] = ['collectionCost'];

interface Seen {
  completed: Map<string, ActivityFacts>;
  retries: Map<string, number>;
  activities: number;
  repeated: number;
}

/** Only the executions of this run that the server still knows can be looked at. */
export async function checkHistories(
  client: Client,
  findings: Findings,
  run: RunDocument,
  expected: Expected,
  written: LastWritten,
): Promise<void> {
  const statuses = new Map<string, Set<string>>();
  const executions: { workflowId: string; runId: string }[] = [];
  for await (const { workflowId, runId, status } of client.workflow.list({ query: `TrainingRun = "${run._id}"` })) {
    executions.push({ workflowId, runId });
    statuses.set(workflowId, (statuses.get(workflowId) ?? new Set()).add(status.name));
  }
  if (run.status === 'finished') checkCompleted(findings, plannedWorkflows(run, expected), statuses);
  const seen: Seen = { completed: new Map(), retries: new Map(), activities: 0, repeated: 0 };
  for (let from = 0; from < executions.length; from += openAtOnce) {
    const histories = await Promise.all(
      executions.slice(from, from + openAtOnce).map(async ({ workflowId, runId }) => ({
        workflowId,
        activities: readActivities(
          await opened(client, await client.workflow.getHandle(workflowId, runId).fetchHistory()),
        ),
      })),
    );
    for (const { workflowId, activities } of histories) {
      if (activities === null) findings.note('histories whose payloads cannot be read: activities are not compared');
      else checkActivities(findings, workflowId, activities, written, seen);
    }
  }
  const retries = [...seen.retries].map(([name, count]) => `${name} × ${count}`);
  findings.note(
    `${seen.activities} activities in ${executions.length} histories; retried: ${retries.join(', ') || 'none'}; met again after a new start: ${seen.repeated}`,
  );
}

function plannedWorkflows(run: RunDocument, { iterations, evaluations }: Expected): string[] {
  return [
    run._id,
    ...run.plan.stages.map(({ stage, learner }) => stageWorkflowId(run._id, stage, learner)),
    ...iterations.flatMap((batch) => [batch.id, ...rolloutsOf(batch)]),
    ...evaluations.map(({ id }) => id),
  ];
}

function checkCompleted(
  findings: Findings,
  planned: readonly string[],
  statuses: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  const unknown = planned.filter((id) => !statuses.has(id)).length;
  if (unknown > 0) {
    findings.note(
      `${unknown} of ${planned.length} workflows are not on this server: another one ran them, or they are past its retention`,
    );
  }
  for (const id of planned) {
    const own = statuses.get(id);
    if (own === undefined) continue;
    findings.holds(own.has('COMPLETED'), 'workflows', id, () => `ended as ${[...own].join(', ').toLowerCase()}`);
  }
}

function checkActivities(
  findings: Findings,
  workflowId: string,
  activities: readonly ActivityFacts[],
  written: LastWritten,
  seen: Seen,
): void {
  const here = new Set<string>();
  for (const activity of activities) {
    const { type, key, attempts, lastFailure, completedMs } = activity;
    seen.activities += 1;
    findings.saw('activities');
    if (attempts > 1) {
      const name = lastFailure ?? 'unknown';
      seen.retries.set(name, (seen.retries.get(name) ?? 0) + attempts - 1);
    }
    if (here.has(key) && !askedAgain.includes(type))
      findings.found('activities', workflowId, `scheduled again after it had completed: ${key}`);
    if (completedMs === null) continue;
    here.add(key);
    const earlier = seen.completed.get(key);
    if (earlier !== undefined) seen.repeated += 1;
    const first = earlier === undefined || completedMs < earlier.completedMs! ? activity : earlier;
    seen.completed.set(key, first);
    const newest = written.by(activity);
    if (newest !== null && newest > first.completedMs! + clockSkewMs) {
      findings.found('activities', workflowId, `wrote after it had completed: ${key}`);
    }
  }
}
