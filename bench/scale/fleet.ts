/** Servers of the bench's own and worker processes on them, with what each of them used. Everything goes when it ends. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import { stackEnvironment } from '../../cli/stack/addresses.ts';
import { readRecord } from '../../cli/stack/record.ts';
import { choosePort } from '../../cli/stack/ports.ts';
import { ensureStack } from '../../cli/stack/stack.ts';
import { readRequests } from './server-requests.ts';
import type { Requests } from './server-requests.ts';
import { readTrace } from './trace.ts';
import type { TraceLine } from './trace.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** `sysconf(_SC_CLK_TCK)` of every Linux that Node runs on. */
const ticksPerSecond = 100;
const signals = ['SIGINT', 'SIGTERM'] as const;

/** What one process has used since it started. */
export interface ProcessUse {
  cpuMs: number;
  /** Resident memory now, and at most. */
  rssMb: number;
  peakMb: number;
}

export interface WorkerWish {
  queue: 'control' | 'gpu' | 'sandbox';
  engine: 'real' | 'simulated';
  slots: number;
  /** Divides every latency of a simulated engine; 1 where absent. */
  speed?: number;
  /** Workers with another name keep their copies of weights in another folder, as other machines do. */
  machine?: string;
  /** Added to Node's own arguments, e.g. `--cpu-prof`. */
  nodeArgs?: readonly string[];
}

export interface Fleet {
  store: Store;
  client: Client;
  /** Of the Temporal server. */
  address: string;
  /** Folder of the fleet's own. */
  stateDir: string;
  /** By process name: `temporal`, `store`, `control-0`, `gpu-1` ... */
  use(): Record<string, ProcessUse>;
  /** To the Temporal server and from it to its database, since it started. */
  requests(): Promise<Requests>;
  /** Ends the workers and reads what they wrote down. */
  endWorkers(): Promise<TraceLine[]>;
  stop(): Promise<void>;
}

function useOf(pid: number): ProcessUse {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return {
    cpuMs: ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1000,
    rssMb: kilobytes('VmRSS') / 1024,
    peakMb: kilobytes('VmHWM') / 1024,
  };
}

/** `onSpawn` learns of the process before it is ready. */
async function startWorker(
  wish: WorkerWish,
  trace: string,
  env: Record<string, string>,
  onSpawn: (child: ChildProcess) => void,
): Promise<void> {
  const { queue, engine, slots, speed = 1, nodeArgs = [] } = wish;
  const program = [
    '--import',
    'tsx',
    join(root, 'bench/scale/worker.ts'),
    queue,
    engine,
    trace,
    String(slots),
    String(speed),
  ];
  const child = spawn(process.execPath, [...nodeArgs, ...program], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onSpawn(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (text: Buffer) => text.toString().includes(`ready ${queue}`) && resolve());
    child.once('exit', (code) => reject(new Error(`worker ${queue} ended with ${code} before it was ready`)));
  });
}

export async function startFleet(wishes: readonly WorkerWish[], temporalArgs: readonly string[] = []): Promise<Fleet> {
  const stateDir = mkdtempSync(join(tmpdir(), 'metaagentx-scale-'));
  const metricsPort = await choosePort(0);
  const stack = await ensureStack({
    stateDir,
    log: () => undefined,
    ports: { temporal: 0, ui: 0, mongo: 0 },
    temporalArgs: [...temporalArgs, '--metrics-port', String(metricsPort)],
  });
  const { mongoUri, database, temporalAddress, namespace } = stack.addresses;
  const env = stackEnvironment(stack.addresses, stateDir);
  const workers = new Map<string, ChildProcess>();
  const traces: string[] = [];
  /** Of what stands, last opened first. */
  const closers = [() => stack.stop()];
  const endWorkers = async () => {
    await Promise.all(
      [...workers.values()]
        .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
        .map(async (child) => {
          const gone = once(child, 'exit');
          child.kill('SIGTERM');
          await gone;
        }),
    );
    workers.clear();
    return readTrace(traces);
  };
  const stop = async () => {
    await endWorkers().catch(() => undefined);
    for (const close of closers.reverse()) await close();
    rmSync(stateDir, { recursive: true, force: true });
  };
  const interrupted = () => void stop().finally(() => process.exit(1));
  for (const signal of signals) process.once(signal, interrupted);
  // The first worker of workflows makes the bundle; the others find it.
  for (const [index, wish] of wishes.entries()) {
    const name = `${wish.queue}-${index}`;
    traces.push(join(stateDir, `${name}.trace`));
    const ownEnv = wish.machine === undefined ? env : { ...env, METAAGENTX_STATE: join(stateDir, wish.machine) };
    await startWorker(wish, traces.at(-1)!, ownEnv, (child) => workers.set(name, child));
  }
  const store = await openStore({ uri: mongoUri, database });
  closers.push(() => store.close());
  const connection = await Connection.connect({ address: temporalAddress });
  closers.push(() => connection.close());
  const pids = () => {
    const servers = readRecord(stateDir).processes.map(
      ({ name, identity }) => [name === 'mongo' ? 'store' : name, identity.pid] as const,
    );
    return [...servers, ...[...workers].map(([name, { pid }]) => [name, pid!] as const)];
  };
  return {
    store,
    client: new Client({ connection, namespace }),
    address: temporalAddress,
    stateDir,
    use: () => Object.fromEntries(pids().map(([name, pid]) => [name, useOf(pid)])),
    endWorkers,
    requests: () => readRequests(metricsPort),
    stop: async () => {
      for (const signal of signals) process.off(signal, interrupted);
      await stop();
    },
  };
}
