/**
 * What is known of a run now: the workflow's `progress` where a worker answers, else the same facts from the database.
 * Rewards and tokens come from the committed iterations and are read again only when there are new ones.
 */
import type { Client } from '@temporalio/client';
import type { Store } from '../activities/store/connect.ts';
import type { RunDocument } from '../activities/store/documents.ts';
import type { Progress } from '../shared/domain/plan.ts';
import { positionOf } from '../activities/run-position.ts';

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
  const [position, newest] = await Promise.all([positionOf(store, runId), newestReward(store, runId)]);
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
    meanReward: newest,
    evaluations: position?.evaluations ?? {},
  };
}

function phaseOf(position: { coldStartChunks: number } | null, chunks: number, started: boolean): Progress['phase'] {
  if (position === null) return 'starting';
  return !started && position.coldStartChunks < chunks ? 'cold-start' : 'training';
}

async function newestReward(store: Store, runId: string): Promise<number | null> {
  const rewards = await readRewards(store, runId);
  return rewards.at(-1)?.meanReward ?? null;
}

export interface IterationReward {
  /** The iteration's id. */
  id: string;
  stage: number;
  iteration: number;
  meanReward: number;
}

/** Committed iterations in their order. */
export async function readRewards(store: Store, runId: string): Promise<IterationReward[]> {
  const found = await store.iterations
    .find({ runId }, { projection: { stage: 1, iteration: 1, 'metrics.meanReward': 1 } })
    .toArray();
  return found
    .map(({ _id, stage, iteration, metrics }) => ({ id: _id, stage, iteration, meanReward: metrics.meanReward ?? 0 }))
    .sort((a, b) => a.stage - b.stage || a.iteration - b.iteration);
}

/** Response tokens that a batch sampled: designs and the calls of their executions. */
export async function tokensOf(store: Store, batchId: string): Promise<number> {
  const sum = [{ $match: { batchId } }, { $group: { _id: null, tokens: { $sum: '$responseTokens' } } }];
  const [designs, calls] = await Promise.all([
    store.designs.aggregate<{ tokens: number }>(sum).toArray(),
    store.calls.aggregate<{ tokens: number }>(sum).toArray(),
  ]);
  return (designs[0]?.tokens ?? 0) + (calls[0]?.tokens ?? 0);
}
