/**
 * Everything that a training run needs, in processes of their own, between relays that can break: servers with their data
 * in a folder of limited size, `metaagentx up` with the three workers, and a watcher. What dies is started again, as an
 * operator's init system would do it.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cloneRoot } from '../../bootstrap/paths.mjs';
import type { CrashPoint } from '../../activities/crash-point.ts';
import type { StackAddresses } from '../../cli/stack/addresses.ts';
import { living, readRecord } from '../../cli/stack/record.ts';
import { ensureStack } from '../../cli/stack/stack.ts';
import type { Stack } from '../../cli/stack/stack.ts';
import { localEnvironment } from '../helpers/servers.ts';
import { Proxy } from './proxy.ts';
import { Quota } from './quota.ts';
import type { Server, Target } from './schedule.ts';

export type Log = (line: string) => void;

const diskMegabytes = 700;
const restartAfterMs = 500;

export class Fleet {
  readonly folder: string;
  readonly quota: Quota;
  readonly proxies: Record<Server, Proxy>;
  readonly #log: Log;
  readonly #stack: Stack;
  readonly #children = new Map<'up' | 'watcher', ChildProcess>();
  #stopping = false;
  /** Starts of `up` and the watcher beyond the first. */
  restarts = 0;

  private constructor(folder: string, quota: Quota, stack: Stack, proxies: Record<Server, Proxy>, log: Log) {
    this.folder = folder;
    this.quota = quota;
    this.proxies = proxies;
    this.#stack = stack;
    this.#log = log;
  }

  static async start(log: Log): Promise<Fleet> {
    const folder = mkdtempSync(join(tmpdir(), 'chaos-'));
    for (const name of ['servers', 'workers', 'crash-points']) mkdirSync(join(folder, name));
    const quota = new Quota(join(folder, 'servers'), diskMegabytes);
    const stack = await ensureStack({
      stateDir: join(folder, 'servers'),
      log: (line) => log(`servers: ${line}`),
      ports: { temporal: 0, ui: 0, mongo: 0 },
      env: localEnvironment(),
    });
    const { temporalAddress, mongoUri } = stack.addresses;
    const proxies = {
      temporal: await Proxy.to('127.0.0.1', Number(temporalAddress.split(':')[1])),
      mongo: await Proxy.to('127.0.0.1', Number(new URL(mongoUri).port)),
    };
    return new Fleet(folder, quota, stack, proxies, log);
  }

  /** Straight to the servers, for the one who judges. */
  get addresses(): StackAddresses {
    return this.#stack.addresses;
  }

  /** Resolves when a server cannot be kept alive. */
  get lost(): Promise<Error> {
    return this.#stack.lost;
  }

  /** Starts a command and keeps it running. */
  keep(name: 'up' | 'watcher', args: readonly string[]): void {
    const log = openSync(join(this.folder, `${name}.log`), 'a');
    const child = spawn(process.execPath, [join(cloneRoot, 'bin/metaagentx.mjs'), ...args], {
      cwd: cloneRoot,
      env: this.#environment(),
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.#children.set(name, child);
    child.once('exit', (code, signal) => {
      this.#children.delete(name);
      if (this.#stopping) return;
      this.#log(`${name} ended with ${signal ?? code}`);
      setTimeout(() => {
        if (this.#stopping) return;
        this.restarts += 1;
        this.keep(name, args);
      }, restartAfterMs);
    });
  }

  /** Null while it is not there. */
  pidOf(target: Target): number | null {
    if (target === 'up' || target === 'watcher') return this.#children.get(target)?.pid ?? null;
    const isServer = target === 'temporal' || target === 'mongo';
    const record = readRecord(join(this.folder, isServer ? 'servers' : 'workers'));
    return living(record, isServer ? target : `worker-${target}`)?.identity.pid ?? null;
  }

  /** The next process that passes the point dies there. */
  arm(point: CrashPoint): void {
    writeFileSync(join(this.folder, 'crash-points', point), '');
  }

  /** Ends everything in order, then removes what was written. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#children.values()].map(end));
    await this.#stack.stop();
    for (const proxy of Object.values(this.proxies)) await proxy.close();
    await this.quota.close();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #environment(): Record<string, string | undefined> {
    const { mongoUri, namespace } = this.#stack.addresses;
    const relayed = new URL(mongoUri);
    relayed.port = String(this.proxies.mongo.port);
    return {
      ...localEnvironment(),
      // A command that is a process of its own, also where a test starts it.
      VITEST: undefined,
      TEMPORAL_ADDRESS: `127.0.0.1:${this.proxies.temporal.port}`,
      TEMPORAL_NAMESPACE: namespace,
      MONGODB_URI: relayed.href,
      METAAGENTX_STATE: join(this.folder, 'workers'),
      METAAGENTX_CRASH_POINTS: join(this.folder, 'crash-points'),
    };
  }
}

/** A command that was stopped hears nothing until it is continued. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 60_000);
  await ended;
  clearTimeout(hard);
}
