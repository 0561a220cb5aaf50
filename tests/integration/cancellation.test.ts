/**
 * A run that is cancelled or terminated gives up what is at work long before it would end by itself: calls in the engine,
 * training, programs in the sandbox. On real servers with real workers in this process, so that their engine can be looked
 * into.
 */
import { CancelledFailure, WorkflowFailedError } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../activities/runtime/engine/create-engine.ts';
import type { ThreadedEngine } from '../../activities/runtime/engine/create-engine.ts';
import { loadDatasets } from '../../cli/datasets.ts';
import { loadRecipe } from '../../cli/recipes.ts';
import { startRun } from '../../cli/start-run.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { ownParts } from '../../workers/queues.ts';
import { startWorker } from '../../workers/run-worker.ts';
import type { RunningWorker } from '../../workers/run-worker.ts';
import { readSettings } from '../../workers/settings.ts';
import { programsBelow } from '../helpers/programs.ts';
import { connectServers } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';

/** The goal is 2 s (docs/durability.md); what is at work here would go on for 10 s and more. The rest is for a loaded machine. */
const longestMs = 6_000;
let servers: TestServers;
let engine: ThreadedEngine;
let trainedSteps = 0;
const workers: RunningWorker[] = [];

/** The real engine; replies go on until their last token, and steps are counted. */
async function endlessEngine(options: Parameters<typeof createEngine>[0]): Promise<ThreadedEngine> {
  const own = await createEngine(options);
  engine = {
    ...own,
    generate: (request, control) => own.generate({ ...request, stopTokenIds: [] }, control),
    sft: (request, control = {}) =>
      own.sft(request, {
        ...control,
        onProgress: (progress) => {
          trainedSteps += 1;
          control.onProgress?.(progress);
        },
      }),
  };
  return engine;
}

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  servers = await connectServers();
  const settings = readSettings();
  for (const queue of ['control', 'gpu', 'sandbox'] as const)
    workers.push(await startWorker(queue, settings, null, { ...ownParts, createEngine: endlessEngine }));
});
afterAll(async () => {
  for (const worker of workers) worker.shutdown();
  await Promise.all(workers.map(({ done }) => done));
  await servers.close();
});

const given = ['stages.scheme=executor-only', 'stages.count=1', 'coldStart={"type":"none"}', 'evaluation.limit=0'];

async function start(runId: string, set: readonly string[]) {
  const recipe = await loadRecipe({ recipe: 'smoke', set: [...set] });
  const datasets = await loadDatasets(recipe);
  await startRun(servers.store, servers.client, { runId, recipe, datasets, config: resolveTemporalConfig({}) });
  return servers.client.workflow.getHandle(runId);
}

/** Resolves with when the condition came true, once it has been so for a while without a break. */
async function lasting(condition: () => boolean | Promise<boolean>, forMs: number): Promise<number> {
  const deadline = performance.now() + 120_000;
  for (let sinceMs: number | null = null; ;) {
    sinceMs = (await condition()) ? (sinceMs ?? performance.now()) : null;
    if (sinceMs !== null && performance.now() - sinceMs > forMs) return sinceMs;
    if (performance.now() > deadline) throw new Error('waited 120 s for a condition');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const programs = () => programsBelow(process.pid);

const cases = {
  'a long generation': {
    set: [
      ...given,
      'designs.script=return agent("solve");',
      'policy.init.decoder.hiddenSize=256',
      'policy.init.decoder.maxPositions=8192',
      'sampling.executor.maxTokens=8000',
      'limits.responseTokensPerCall=8000',
    ],
    atWork: async () => (await engine.stats()).active > 0,
    free: async () => {
      const { active, waiting } = await engine.stats();
      return active + waiting === 0;
    },
  },
  'a cold start': {
    set: ['coldStart.steps=100000', 'coldStart.chunks=1', 'evaluation.limit=0'],
    atWork: () => trainedSteps > 3,
    // One training at a time: a wrong request is refused when its turn comes.
    free: () =>
      engine.sft({ baseVersion: 'none', newVersion: 'none', examples: [], settings: {} as never }).then(
        () => false,
        (error: Error) => error.message.includes("'none' is not loaded"),
      ),
  },
  "a design's Python tool that sleeps": {
    set: [
      ...given,
      'designs.tools=["python"]',
      'designs.script=await tools.python("1"); return await tools.python("import time; time.sleep(14)");',
    ],
    // The sandbox tests itself with programs when it is opened: once a call is answered, they are the design's.
    atWork: async (runId: string) => programs().length > 0 && (await servers.store.calls.countDocuments({ runId })) > 0,
    free: () => programs().length === 0,
  },
};
type Case = (typeof cases)[keyof typeof cases];

describe.each(Object.entries(cases))('%s', (name, { set, atWork, free }: Case) => {
  it.each(['cancel', 'terminate'] as const)('ends soon after %s', async (how) => {
    trainedSteps = 0;
    const runId = `cancellation-${how}-${Object.keys(cases).indexOf(name)}`;
    const handle = await start(runId, set);
    // The attempt is some heartbeats old by then.
    await lasting(() => atWork(runId), 1_500);

    const askedMs = performance.now();
    await handle[how]();
    // A slot that one activity gives up may go to another that knows later.
    const tookMs = (await lasting(free, 1_000)) - askedMs;
    console.info(`${name}, ${how}: free after ${tookMs.toFixed(0)} ms`);
    expect(tookMs).toBeLessThan(longestMs);

    const error: unknown = await handle.result().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    if (how === 'cancel') {
      // Closed means that nothing is at work: the workflow waits for its activities.
      expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
      expect((await servers.store.runs.findOne({ _id: runId }))?.status).toBe('stopped');
    }
  });
});
