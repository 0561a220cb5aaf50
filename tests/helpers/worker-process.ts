/** A real worker process of this project, to be killed. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface WorkerProcess {
  pid: number;
  /** Makes the thread of a gpu worker's engine throw (crash-engine.mjs). */
  crashEngine(): void;
  /** Exit code and standard error, once it has ended by itself. */
  ended(): Promise<{ code: number | null; errors: string }>;
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and wait until it has drained. */
  stop(): Promise<void>;
}

/** Resolves when it polls. The addresses come from the environment that the servers' set-up wrote. */
export async function startWorkerProcess(
  queue: string,
  environment: Record<string, string> = {},
): Promise<WorkerProcess> {
  const child = spawn(
    process.execPath,
    ['--import', './tests/helpers/crash-engine.mjs', '--import', 'tsx', 'workers/main.ts', queue],
    { cwd: root, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
    process.stderr.write(chunk);
  });
  const gone = once(child, 'close');
  await ready(child, queue, () => errors);
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  return {
    pid: child.pid!,
    crashEngine: () => void child.kill('SIGUSR2'),
    ended: async () => {
      await gone;
      return { code: child.exitCode, errors };
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}

function ready(child: ChildProcess, queue: string, errors: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      const lines = seen.split('\n');
      const wanted = queue === 'all' ? ['control', 'gpu', 'sandbox'] : [queue];
      if (wanted.every((name) => lines.includes(`ready ${name}`))) resolve();
    });
    child.once('close', (code) =>
      reject(new Error(`worker ${queue} ended with ${code} before it was ready: ${errors()}`)),
    );
  });
}
