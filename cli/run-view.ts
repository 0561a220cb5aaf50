/**
 * What is known of a run now: the workflow's `progress` where a worker answers, else the same facts from the database.
 * Rewards, tokens and pace come from what is committed, which is read again only when there is more of it.
 */
import type { Client } from '@temporalio/client';
import type { Store } from '../activities/store/connect.ts';
import type { RunDocument } from '../activities/store/documents.ts';
import type { Progress } from '../shared/domain/plan.ts';
import { positionOf } from '../activities/run-position.ts';
import { plannedEvaluations } from '../shared/plan/planned-evaluations.ts';
import type { PacedEvaluation, PacedIteration } from './pace.ts';

/** A query is answered in milliseconds; one that takes this long has no worker to answer it. */
const queryTimeoutMs = 4_000;

/** The workflow's own word, or null where no worker answers or there is no such workflow. */
export async function queryProgress(client: Client, runId: string): Promise<Progress | null> {
  try {
    return await client.withDeadline(Date.now() + queryTimeoutMs, () =>
      client.workflow.getHandle(runId).query<Progress>('progress'),
    );
  } catch {
    return null;
  }
}

/** The same from the database; the phase is a guess from what is there. */
export async function storedProgress(store: Store, run: RunDocument): Promise<Progress> {
  const { _id: runId, plan, status } = run;
  const [position, iterations] = await Promise.all([positionOf(store, runId), readIterations(store, runId)]);
  const planned = plannedEvaluations(plan);
  const done = position?.iterations ?? plan.stages.map(() => 0);
  const open = plan.stages.find(({ iterations }, index) => done[index]! < iterations) ?? plan.stages.at(-1);
  const started = open !== undefined && done.some((count) => count > 0);
  return {
    runId,
    phase: status === 'finished' ? 'finished' : phaseOf(position, plan.coldStartChunks, started),
    stage: started ? open.stage : null,
    stages: plan.stages.length,
    learner: started ? open.learner : null,
    iteration: started ? done[open.stage - 1]! : (position?.coldStartChunks ?? 0) + 1,
    iterations: started ? open.iterations : plan.coldStartChunks,
    policyVersion: position?.policyVersion ?? null,
    meanReward: iterations.at(-1)?.meanReward ?? null,
    evaluations: Object.fromEntries(
      Object.entries(position?.evaluations ?? {}).filter(([name]) => planned.includes(name)),
    ),
  };
}

function phaseOf(position: { coldStartChunks: number } | null, chunks: number, started: boolean): Progress['phase'] {
  if (position === null) return 'starting';
  return !started && position.coldStartChunks < chunks ? 'cold-start' : 'training';
}

export interface CommittedIteration extends PacedIteration {
  /** The iteration's id. */
  id: string;
  stage: number;
  iteration: number;
  meanReward: number;
  /** Response tokens of both roles. */
  tokens: number;
}

/** Committed iterations in their order. */
export async function readIterations(store: Store, runId: string): Promise<CommittedIteration[]> {
  const projection = { stage: 1, iteration: 1, createdAt: 1, facts: 1, 'metrics.meanReward': 1 } as const;
  const found = await store.iterations.find({ runId }, { projection }).toArray();
  return found
    .sort((a, b) => a.stage - b.stage || a.iteration - b.iteration)
    .map(({ _id, stage, iteration, createdAt, facts, metrics }) => ({
      id: _id,
      stage,
      iteration,
      committedAt: createdAt,
      meanReward: metrics.meanReward ?? 0,
      tokens: (facts?.designerTokens ?? 0) + (facts?.executorTokens ?? 0),
      ...(facts === undefined ? {} : { facts }),
    }));
}

/** Recorded evaluations of the run's plan; those that somebody asked for besides are left out. */
export async function readEvaluations(
  store: Store,
  { _id: runId, plan }: Pick<RunDocument, '_id' | 'plan'>,
): Promise<PacedEvaluation[]> {
  const found = await store.evaluations
    .find(
      { runId, name: { $in: plannedEvaluations(plan) } },
      { projection: { name: 1, createdAt: 1, policyVersion: 1 } },
    )
    .toArray();
  const measured = found.map(({ policyVersion }) => policyVersion);
  const versions = await store.policies
    .find({ runId, version: { $in: measured } }, { projection: { version: 1, createdAt: 1 } })
    .toArray();
  const committed = new Map(versions.map(({ version, createdAt }) => [version, createdAt]));
  return found.flatMap(({ name, createdAt, policyVersion }) => {
    const versionAt = committed.get(policyVersion);
    return versionAt === undefined ? [] : [{ name, recordedAt: createdAt, versionAt }];
  });
}
