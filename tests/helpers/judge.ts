/**
 * A sandbox worker in this process that can be told to leave batches unjudged. A run, an evaluation or a search stands still
 * there, between its answers and what is made of them, until it is let go: whatever a test does meanwhile is in its midst,
 * on a fast machine and on a slow one.
 */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { bounded } from '../../activities/boundary.ts';
import { runContexts } from '../../activities/run-context.ts';
import type { Store } from '../../activities/store/connect.ts';
import { verifyBatch } from '../../activities/verify-batch.ts';
import type { VerifyBatchInput } from '../../shared/domain/tasks.ts';
import { readSettings } from '../../workers/settings.ts';
import { deferred } from './deferred.ts';
import type { Deferred } from './deferred.ts';

export interface Judge {
  /** Batches whose ids match wait from now on. */
  hold(batches: RegExp): Held;
  stop(): Promise<void>;
}

export interface Held {
  /** Resolves when the first of them waits. */
  reached: Promise<void>;
  release(): void;
}

/** For questions of arithmetic. */
export async function startJudge(store: Store): Promise<Judge> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const held: { batches: RegExp; reached: Deferred; released: Deferred }[] = [];
  const deps = {
    store,
    runs: runContexts(store),
    codeJudge: () => Promise.reject(new Error('a program was to be judged, and here is no sandbox')),
  };
  const letGo = async ({ batchId }: VerifyBatchInput, signal: AbortSignal) => {
    for (const { reached, released } of held.filter(({ batches }) => batches.test(batchId))) {
      reached.resolve();
      const aborted = new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
      await Promise.race([released.promise, aborted]);
    }
  };
  const { connection: address, namespace, config } = readSettings();
  const connection = await NativeConnection.connect(address);
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: config.queues.sandbox,
    identity: `sandbox-${process.pid}`,
    activities: {
      verifyBatch: bounded(async (input: VerifyBatchInput, { signal }) => {
        await letGo(input, signal);
        return verifyBatch(deps, input, signal);
      }),
    },
  });
  const served = worker.run();
  return {
    hold(batches) {
      const [reached, released] = [deferred(), deferred()];
      held.push({ batches, reached, released });
      return { reached: reached.promise, release: released.resolve };
    },
    async stop() {
      worker.shutdown();
      await served;
      await connection.close();
    },
  };
}
