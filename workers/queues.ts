/** What each worker needs to serve its queue, and how it lets go of it. */
import { join } from 'node:path';
import { Runtime } from '@temporalio/worker';
import { controlActivities, gpuActivities, sandboxActivities } from '../activities/index.ts';
import { codeJudge } from '../activities/code-judge.ts';
import { PolicyResidence } from '../activities/policy/residence.ts';
import { runContexts } from '../activities/run-context.ts';
import { createEngine } from '../activities/runtime/engine/create-engine.ts';
import { lazySandbox } from '../activities/runtime/python/lazy-sandbox.ts';
import { checkerRunner } from '../activities/runtime/script/checker.ts';
import { createScriptPool } from '../activities/runtime/script/pool.ts';
import { GroupCommit } from '../activities/store/group-commit.ts';
import type { Store, StoreAddress } from '../activities/store/connect.ts';
import { withLocalCopies } from '../activities/store/local-copies.ts';
import type { TemporalConfig } from '../shared/config/temporal-config.ts';
import type { TaskQueues } from '../shared/domain/plan.ts';
import { observeEngine } from './engine-metrics.ts';
import type { WorkerSettings } from './settings.ts';

export type QueueName = keyof TaskQueues;
export const queueNames: readonly QueueName[] = ['control', 'gpu', 'sandbox'];

/** What a worker is built of; a measurement puts its own parts in their place. */
export interface WorkerParts {
  createEngine: typeof createEngine;
  createScriptPool: typeof createScriptPool;
  /** Told of every command to the store. */
  onCommand?: StoreAddress['onCommand'];
}
export const ownParts: WorkerParts = { createEngine, createScriptPool };

export interface ServedQueue {
  activities: object;
  /** Activities at once. */
  slots: number;
  runsWorkflows: boolean;
  /** Resolves when a part that the queue cannot do without has died. */
  died?: Promise<Error>;
  close(): Promise<void>;
}

const nothing = async () => undefined;

function serveControl(store: Store, config: TemporalConfig): ServedQueue {
  const activities = controlActivities({ store, runs: runContexts(store) });
  return { activities, slots: config.workers.controlSlots, runsWorkflows: true, close: nothing };
}

const pythonOptions = ({ python: { minTier, programs } }: TemporalConfig) => ({ minTier, workers: programs });

/** The same store; weights that were read once come from this machine's disk. */
function nearby(store: Store, { localCopies }: TemporalConfig, stateDir: string): Store {
  if (localCopies.maxBytes === 0) return store;
  return { ...store, blobs: withLocalCopies(store.blobs, { folder: join(stateDir, 'weights'), ...localCopies }) };
}

async function serveGpu(
  remote: Store,
  { config, stateDir }: Pick<WorkerSettings, 'config' | 'stateDir'>,
  parts: WorkerParts,
): Promise<ServedQueue> {
  const store = nearby(remote, config, stateDir);
  const engine = await parts.createEngine(config.engine);
  const unobserve = observeEngine(engine, Runtime.instance().metricMeter);
  const scripts = parts.createScriptPool({ threads: config.workers.scriptThreads });
  const python = lazySandbox(pythonOptions(config));
  const activities = gpuActivities({
    store,
    runs: runContexts(store),
    engine,
    policies: new PolicyResidence(store, engine),
    scripts,
    python: python.open,
    designs: new GroupCommit(store.designs),
    journal: new GroupCommit(store.calls),
    executions: new GroupCommit(store.executions),
  });
  return {
    activities,
    slots: config.workers.gpuSlots,
    runsWorkflows: false,
    died: engine.died,
    close: async () => {
      unobserve();
      await scripts.close();
      await python.close();
      await engine.close();
    },
  };
}

function serveSandbox(store: Store, config: TemporalConfig): ServedQueue {
  const python = lazySandbox(pythonOptions(config));
  const scripts = createScriptPool({ threads: 1 });
  const judge = codeJudge(python.open, checkerRunner(scripts));
  return {
    activities: sandboxActivities({ store, runs: runContexts(store), codeJudge: judge }),
    slots: config.workers.sandboxSlots,
    runsWorkflows: false,
    close: async () => {
      await scripts.close();
      await python.close();
    },
  };
}

/** Builds a queue's parts. */
export async function serveQueue(
  queue: QueueName,
  store: Store,
  settings: Pick<WorkerSettings, 'config' | 'stateDir'>,
  parts: WorkerParts = ownParts,
): Promise<ServedQueue> {
  const { config } = settings;
  if (queue === 'control') return serveControl(store, config);
  return queue === 'gpu' ? serveGpu(store, settings, parts) : serveSandbox(store, config);
}
