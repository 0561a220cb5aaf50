/**
 * A stack that outlives the command that asked for it: this file, run as a process of its own, brings up servers and
 * workers and supervises them until SIGTERM; `startDetached` starts that process and waits until everything serves.
 * Knows nothing about what runs on the stack.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { identify, isAlive } from '../../bootstrap/identity.mjs';
import { cloneRoot } from '../../bootstrap/paths.mjs';
import { DomainError } from '../../shared/errors.ts';
import { isOwnDashboard, startDashboard } from './dashboard.ts';
import { ensureStack, type Stack } from './stack.ts';
import { readRecord } from './record.ts';
import { readLog, tail, type Log } from './supervisor.ts';
import { workerQueues, type WorkerQueue } from './worker-process.ts';
import { startWorkers } from './workers.ts';

const readyLine = 'stack ready';
/** Where everything is run by others already: nothing is left for a process of its own to do. */
const joinedLine = 'stack joined';
const readyWithinMs = 300_000;
const pollMs = 100;

/**
 * Starts the stack and its workers under a process of its own and returns its log file and pid once all of them serve:
 * the pid of the process that runs them already where everything was joined, null where nothing is run here at all.
 * Joining and port rules are those of `ensureStack`; end it with `stopStack(stateDir)`.
 */
export async function startDetached(options: {
  stateDir: string;
  queues?: readonly WorkerQueue[];
  log: Log;
  env?: Record<string, string | undefined>;
}): Promise<{ pid: number | null; logFile: string }> {
  const { stateDir, queues = workerQueues, log, env = process.env } = options;
  const logFile = join(stateDir, 'logs', 'stack.log');
  mkdirSync(join(stateDir, 'logs'), { recursive: true });
  const logFrom = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  const fd = openSync(logFile, 'a');
  const script = join(cloneRoot, 'cli', 'stack', 'daemon.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, stateDir, ...queues], {
    cwd: cloneRoot,
    env,
    stdio: ['ignore', fd, fd],
    detached: true,
  });
  closeSync(fd);
  child.unref();
  if (child.pid === undefined) throw new DomainError('InvalidConfig', `the stack's process could not be started`);
  const identity = identify(child.pid);
  const deadline = Date.now() + readyWithinMs;
  for (let told = 0; ;) {
    // Asked first: one that joins ends with its last line.
    const alive = isAlive(identity);
    const lines = readLog(logFile, logFrom).split('\n').slice(0, -1);
    lines.slice(told).forEach((line) => line !== readyLine && line !== joinedLine && log(line));
    told = lines.length;
    if (lines.includes(joinedLine)) return { pid: ownerOf(stateDir), logFile };
    if (lines.includes(readyLine)) return { pid: identity.pid, logFile };
    if (!alive || Date.now() > deadline)
      throw new DomainError('InvalidConfig', `the stack did not start; ${logFile} ends: ${tail(logFile, logFrom)}`);
    await new Promise((done) => setTimeout(done, pollMs));
  }
}

/** The living process that supervises the servers, or else what there is. */
function ownerOf(stateDir: string): number | null {
  const owned = readRecord(stateDir).processes.filter(({ supervisor }) => isAlive(supervisor));
  const first = owned.find(({ name }) => name === 'temporal' || name === 'mongo') ?? owned[0];
  return first?.supervisor.pid ?? null;
}

async function main([stateDir, ...queues]: string[]): Promise<number> {
  if (stateDir === undefined)
    throw new DomainError('InvalidInput', 'daemon.ts wants the state folder as first argument');
  const log = (line: string) => console.log(line);
  const ending = new AbortController();
  process.once('SIGTERM', () => ending.abort());
  process.once('SIGINT', () => ending.abort());
  let stack: Stack | null = null;
  let staying: NodeJS.Timeout | undefined;
  try {
    stack = await ensureStack({ stateDir, log, signal: ending.signal });
    const [workers, dashboardUrl] = await Promise.all([
      startWorkers({ stack, queues: queues as WorkerQueue[], log }),
      startDashboard(stack, log),
    ]);
    if (dashboardUrl !== null) log(`dashboard: ${dashboardUrl}`);
    if (stack.owned.length + workers.owned.length === 0 && !isOwnDashboard(stateDir)) {
      log(joinedLine);
      return 0;
    }
    // Adopted servers are no children, and nothing else would keep this process.
    staying = setInterval(() => undefined, 60_000);
    log(readyLine);
    const asked = new Promise<null>((resolve) => ending.signal.addEventListener('abort', () => resolve(null)));
    if (ending.signal.aborted) return 0;
    const lost = await Promise.race([asked, stack.lost, workers.lost]);
    if (lost !== null) log(`giving up: ${lost.message}`);
    return lost === null ? 0 : 1;
  } finally {
    clearInterval(staying);
    await stack?.stop();
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  main(process.argv.slice(2)).then(
    (code) => process.exit(code),
    (error: unknown) => {
      console.error(error instanceof DomainError ? `${error.name}: ${error.message}` : error);
      process.exit(1);
    },
  );
