/**
 * Runs the worker processes of a stack, one per queue: started, restarted when they die, drained and stopped with the
 * stack. A queue that another process of this clone already serves is left to it. Knows nothing about the work itself
 * (workers/main.ts does); a worker is ready when it prints `ready QUEUE`.
 */
import { join } from 'node:path';
import { isAlive } from '../../bootstrap/identity.mjs';
import type { Identity } from '../../bootstrap/identity.mjs';
import { withLock } from '../../bootstrap/lock.mjs';
import { cloneRoot } from '../../bootstrap/paths.mjs';
import { changeRecord, living, ownProcess, readRecord, withoutProcess, withProcess } from './record.ts';
import type { Stack } from './stack.ts';
import { readLog, Supervisor, type Log, type ProcessPlan } from './supervisor.ts';
import { workerCommand, workerEnvironment, workerQueues, type WorkerQueue } from './worker-process.ts';

/** Bundling the workflows and loading the runtime on a busy machine. */
const readyWithinMs = 180_000;
/** A drained worker finishes its running activities first; longer ones are retried elsewhere. */
const defaultGraceMs = 20_000;

export interface WorkersOptions {
  stack: Stack;
  queues?: readonly WorkerQueue[];
  log: Log;
  /** Time between SIGTERM (drain) and SIGKILL. */
  graceMs?: number;
  /** Added to the workers' environment. */
  env?: Record<string, string | undefined>;
  /** What runs a queue; default `node --import tsx workers/main.ts QUEUE`. */
  command?: (queue: WorkerQueue) => { program: string; args: string[] };
}

/** Worker processes that poll. */
export interface Workers {
  /** Queues that this process serves (and `stop` ends). */
  readonly owned: readonly WorkerQueue[];
  /** The pid that serves a queue now, or null while it is being restarted. */
  pid(queue: WorkerQueue): number | null;
  /** Resolves when a worker cannot be kept alive. */
  readonly lost: Promise<Error>;
  stop(): Promise<void>;
}

/** Starts one process per queue and waits until all poll. Throws with the end of a worker's log when one cannot start. */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  const { stack, queues = workerQueues, log } = options;
  const supervisors = new Map<WorkerQueue, Supervisor>();
  let tellLost: (error: Error) => void = () => undefined;
  const lost = new Promise<Error>((resolve) => (tellLost = resolve));
  let stopped: Promise<void> | null = null;
  const stop = () => (stopped ??= stopAll(stack, supervisors, log, atExit));
  const atExit = () => supervisors.forEach((each) => each.stopNow());
  process.once('exit', atExit);
  stack.beforeStop(stop);
  try {
    await withLock(join(stack.stateDir, 'locks', 'workers.lock'), 'starting workers', async () => {
      const started = await Promise.allSettled(
        queues.map(async (queue) => {
          const other = living(readRecord(stack.stateDir), `worker-${queue}`);
          if (other !== null && isAlive(other.supervisor)) {
            log(`worker-${queue}: served by process ${other.identity.pid} already`);
            return;
          }
          const supervisor = makeSupervisor(options, queue, tellLost);
          supervisors.set(queue, supervisor);
          await supervisor.start();
          log(`worker-${queue}: ready (pid ${supervisor.identity?.pid ?? '?'})`);
        }),
      );
      const failed = started.find((each) => each.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    owned: [...supervisors.keys()],
    pid: (queue) =>
      supervisors.get(queue)?.identity?.pid ??
      living(readRecord(stack.stateDir), `worker-${queue}`)?.identity.pid ??
      null,
    lost,
    stop,
  };
}

function makeSupervisor(options: WorkersOptions, queue: WorkerQueue, onLost: (error: Error) => void): Supervisor {
  const { stack, log, command = workerCommand, graceMs = defaultGraceMs } = options;
  const name = `worker-${queue}`;
  const logFile = join(stack.stateDir, 'logs', `${name}.log`);
  const plan: ProcessPlan = {
    name,
    ...command(queue),
    cwd: cloneRoot,
    env: workerEnvironment(queue, stack, { ...process.env, ...options.env }),
    logFile,
    ready: async ({ logFrom }) =>
      readLog(logFile, logFrom).split('\n').includes(`ready ${queue}`) ? null : `it has not printed 'ready ${queue}'`,
    readyWithinMs,
    graceMs,
  };
  const onProcess = (identity: Identity) =>
    changeRecord(stack.stateDir, (record) => withProcess(record, ownProcess(plan, identity)));
  return new Supervisor(plan, { log, onLost, onProcess });
}

async function stopAll(
  stack: Stack,
  supervisors: ReadonlyMap<WorkerQueue, Supervisor>,
  log: Log,
  atExit: () => void,
): Promise<void> {
  await Promise.all(
    [...supervisors.values()].map(async (supervisor) => {
      const { identity, plan } = supervisor;
      await supervisor.stop();
      if (identity === null) return;
      await changeRecord(stack.stateDir, (record) => withoutProcess(record, plan.name, identity));
      log(`${plan.name}: stopped`);
    }),
  );
  process.off('exit', atExit);
}
