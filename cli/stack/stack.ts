/**
 * Brings up one clone's servers, or joins those that already run: Temporal with its UI, and the MongoDB-compatible
 * store. Started servers are supervised (restarted on the same port and data) and stopped with the owner; joined and
 * configured ones are left alone; those of a killed owner are adopted. Knows nothing about workers' work or commands.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { isAlive } from '../../bootstrap/identity.mjs';
import { withLock } from '../../bootstrap/lock.mjs';
import { provisionMongo } from '../../bootstrap/mongo.mjs';
import { cacheFolder, stateFolder } from '../../bootstrap/paths.mjs';
import { SetupError } from '../../bootstrap/report.mjs';
import { provisionTemporal } from '../../bootstrap/temporal.mjs';
import { DomainError } from '../../shared/errors.ts';
import { databaseOf, defaultDatabase, type StackAddresses } from './addresses.ts';
import { reapOrphans } from './cleanup.ts';
import { localMongoUri, mongoPlan } from './mongo-server.ts';

export { stopStack } from './cleanup.ts';
import { choosePort, loopback } from './ports.ts';
import {
  changeRecord,
  living,
  ownProcess,
  readRecord,
  withoutProcess,
  withProcess,
  type ProcessRecord,
  type StackPorts,
} from './record.ts';
import { endProcess, Supervisor, type Log, type ProcessPlan } from './supervisor.ts';
import { ensureSearchAttributes, pingTemporal, temporalPlan } from './temporal-server.ts';

export const defaultPorts: StackPorts = { temporal: 7233, ui: 8233, mongo: 27117 };

/** How long a recorded server may take to answer: one whose owner lives may be restarting; an orphan is hung. */
const ownedPatienceMs = 60_000;
const orphanPatienceMs = 5_000;

export interface StackOptions {
  /** Databases, logs, ports and pids; default `METAAGENTX_STATE` or `.metaagentx` of the clone. */
  stateDir?: string;
  log: Log;
  /** Aborting stops what this call started. */
  signal?: AbortSignal;
  /** Wanted ports; a taken one is replaced by a free one, 0 means any. */
  ports?: StackPorts;
  /** Where TEMPORAL_*, MONGODB_URI, PATH and METAAGENTX_* are read; default `process.env`. */
  env?: Record<string, string | undefined>;
  /** More arguments of a local Temporal server, e.g. `--dynamic-config-value`. */
  temporalArgs?: readonly string[];
}

/** A stack that serves. */
export interface Stack {
  readonly addresses: StackAddresses;
  readonly stateDir: string;
  readonly log: Log;
  /** Names of the servers that this process started or adopted, and that `stop` ends. */
  readonly owned: readonly string[];
  /** Resolves when an owned server cannot be kept alive. */
  readonly lost: Promise<Error>;
  /** Work to be done before the servers go, e.g. stopping workers; last added runs first. */
  beforeStop(work: () => Promise<void>): void;
  /** Stops what this process started, workers first; what others started stays. Repeated calls wait for the same end. */
  stop(): Promise<void>;
}

/** Throws `InvalidConfig` (Temporal) or `StoreUnavailable` (store) with what to install or change. */
export async function ensureStack(options: StackOptions): Promise<Stack> {
  const env = options.env ?? process.env;
  const stateDir = options.stateDir ?? stateFolder(env);
  mkdirSync(join(stateDir, 'logs'), { recursive: true });
  const starter = new Starter({ ...options, env, stateDir });
  const onWait = ({ pid }: { pid: number }) => options.log(`stack: waiting for process ${pid}, which is starting it`);
  return withLock(join(stateDir, 'locks', 'stack.lock'), 'starting the stack', () => starter.start(), { onWait });
}

type Resolved = StackOptions & { env: Record<string, string | undefined>; stateDir: string };

class Starter {
  readonly #options: Resolved;
  readonly #supervisors: Supervisor[] = [];
  readonly #before: (() => Promise<void>)[] = [];
  readonly #taken = new Set<number>();
  #ports: StackPorts;
  #tellLost: (error: Error) => void = () => undefined;
  readonly #lost = new Promise<Error>((resolve) => (this.#tellLost = resolve));
  #stopped: Promise<void> | null = null;
  readonly #lastMoment = () => this.#supervisors.forEach((each) => each.stopNow());

  constructor(options: Resolved) {
    this.#options = options;
    this.#ports = options.ports ?? readRecord(options.stateDir).ports ?? defaultPorts;
  }

  async start(): Promise<Stack> {
    const { stateDir, log, signal } = this.#options;
    process.once('exit', this.#lastMoment);
    signal?.addEventListener('abort', () => void this.#stop(), { once: true });
    try {
      signal?.throwIfAborted();
      await reapOrphans(stateDir, log);
      // Both servers take a second or more to come up, so they do so together.
      const started = await Promise.allSettled([this.#temporal(), this.#mongo()]);
      const failed = started.find((each) => each.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      const [temporal, mongo] = started.map((each) => (each as PromiseFulfilledResult<Partial<StackAddresses>>).value);
      const addresses = { ...temporal, ...mongo } as StackAddresses;
      signal?.throwIfAborted();
      await changeRecord(stateDir, (record) => ({ ...record, addresses, ports: this.#ports }));
      return this.#handle(addresses);
    } catch (error) {
      await this.#stop();
      // What failed because of the interruption is not the reason.
      signal?.throwIfAborted();
      throw error;
    }
  }

  #handle(addresses: StackAddresses): Stack {
    const { stateDir, log } = this.#options;
    return {
      addresses,
      stateDir,
      log,
      owned: this.#supervisors.map(({ plan }) => plan.name),
      lost: this.#lost,
      beforeStop: (work) => void this.#before.unshift(work),
      stop: () => this.#stop(),
    };
  }

  async #temporal(): Promise<Pick<StackAddresses, 'temporalAddress' | 'namespace' | 'uiUrl'>> {
    const { env, stateDir, log } = this.#options;
    const cacheDir = cacheFolder(env);
    const say = (text: string) => log(`temporal: ${text}`);
    const { found } = await provisionTemporal({ env, cacheDir, say }).catch(asDomainError('InvalidConfig'));
    if (found.kind === 'external') {
      await this.#configuredTemporal(found.address, found.namespace, found.source);
      return { temporalAddress: found.address, namespace: found.namespace, uiUrl: env.TEMPORAL_UI_URL ?? null };
    }
    const namespace = env.TEMPORAL_NAMESPACE || 'default';
    const running = await this.#runningServer('temporal', (ports) =>
      pingTemporal({ address: `${loopback}:${ports.temporal}` }, namespace),
    );
    if (running === null) {
      const port = await this.#choose('temporal');
      await this.#choose('ui');
      log(`temporal: starting ${found.version} (${found.source}) on port ${port}, UI on port ${this.#ports.ui}`);
    }
    const { temporal: port, ui: uiPort } = this.#ports;
    const { temporalArgs } = this.#options;
    const plan = temporalPlan({ program: found.path, stateDir, port, uiPort, namespace, more: temporalArgs });
    await this.#own(plan, running).catch(asDomainError('InvalidConfig'));
    const address = `${loopback}:${port}`;
    await ensureSearchAttributes({ address }, namespace, () => undefined);
    return { temporalAddress: address, namespace, uiUrl: `http://${loopback}:${uiPort}` };
  }

  async #configuredTemporal(address: string, namespace: string, source: string): Promise<void> {
    const { env, log } = this.#options;
    const given = Object.entries(env).filter((pair): pair is [string, string] => Boolean(pair[1]));
    const { connectionOptions } = loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(given) });
    const why = await pingTemporal(connectionOptions, namespace);
    if (why !== null)
      throw new DomainError(
        'InvalidConfig',
        `the Temporal server at ${address} (${source}), namespace '${namespace}', does not answer: ${why}. ` +
          'Start it, correct the address, or unset it to use a local server.',
        { address, namespace },
      );
    log(`temporal: using ${address}, namespace ${namespace} (${source})`);
    await ensureSearchAttributes(connectionOptions, namespace, log);
  }

  async #mongo(): Promise<Pick<StackAddresses, 'mongoUri' | 'database'>> {
    const { env, stateDir, log } = this.#options;
    const say = (text: string) => log(`mongo: ${text}`);
    const setting = { env, stateDir, cacheDir: cacheFolder(env), say };
    const { found } = await provisionMongo(setting).catch(asDomainError('StoreUnavailable'));
    if (found.kind === 'external') {
      log(`mongo: using ${found.uri.replace(/\/\/[^@/]*@/, '//***@')} (${found.source})`);
      return { mongoUri: found.uri, database: env.METAAGENTX_DATABASE || databaseOf(found.uri) };
    }
    const plan = (port: number) => mongoPlan(found, stateDir, port);
    const running = await this.#runningServer('mongo', (ports) => plan(ports.mongo).ready({ logFrom: 0 }));
    if (running === null) {
      const port = await this.#choose('mongo');
      const name = found.kind === 'secantus' ? 'SecantusDB' : 'mongod';
      log(`mongo: starting ${name} ${found.version} (${found.source}) on port ${port}`);
    }
    await this.#own(plan(this.#ports.mongo), running).catch(asDomainError('StoreUnavailable'));
    const database = env.METAAGENTX_DATABASE || defaultDatabase;
    return { mongoUri: localMongoUri(this.#ports.mongo, database), database };
  }

  /** The recorded server when it lives and answers; one that lives without answering and has no owner is ended. */
  async #runningServer(
    name: string,
    ping: (ports: StackPorts) => Promise<string | null>,
  ): Promise<ProcessRecord | null> {
    const record = readRecord(this.#options.stateDir);
    const entry = living(record, name);
    if (entry === null || record.ports === null) return null;
    const deadline = Date.now() + (isAlive(entry.supervisor) ? ownedPatienceMs : orphanPatienceMs);
    for (;;) {
      const why = await ping(record.ports);
      const now = living(readRecord(this.#options.stateDir), name);
      if (now === null) return null;
      if (why === null) {
        this.#ports = { ...this.#ports, ...portsOf(name, record.ports) };
        return now;
      }
      if (Date.now() > deadline) break;
      await new Promise((done) => setTimeout(done, 100));
    }
    this.#options.log(`${name}: process ${entry.identity.pid} of an earlier start does not answer; ending it`);
    await endProcess(entry.identity, 10_000);
    return null;
  }

  async #choose(which: keyof StackPorts): Promise<number> {
    const wanted = this.#ports[which];
    const port = await choosePort(wanted, this.#taken);
    this.#taken.add(port);
    if (wanted !== 0 && port !== wanted) this.#options.log(`${which}: port ${wanted} is taken, using ${port}`);
    this.#ports = { ...this.#ports, [which]: port };
    return port;
  }

  /** Starts the server, adopts a killed owner's, or leaves a living owner's alone. */
  async #own(plan: ProcessPlan, running: ProcessRecord | null): Promise<void> {
    const { stateDir, log, signal } = this.#options;
    signal?.throwIfAborted();
    if (running !== null && isAlive(running.supervisor)) {
      log(
        `${plan.name}: joined the running one (pid ${running.identity.pid}, started by process ${running.supervisor.pid})`,
      );
      return;
    }
    const supervisor = new Supervisor(plan, {
      log,
      onLost: (error) => this.#tellLost(error),
      // The ports go into the record with the process, so that a start after a kill finds them.
      onProcess: (identity) =>
        changeRecord(stateDir, (record) => ({
          ...withProcess(record, ownProcess(plan, identity)),
          ports: { ...(record.ports ?? this.#ports), ...portsOf(plan.name, this.#ports) },
        })),
    });
    this.#supervisors.push(supervisor);
    if (running === null) return supervisor.start();
    log(`${plan.name}: took over process ${running.identity.pid}, whose owner is gone`);
    return supervisor.adopt(running.identity);
  }

  #stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    const { stateDir, log } = this.#options;
    for (const work of this.#before) await work();
    // Temporal first: nothing may hand out work that cannot be stored any more.
    const order = [...this.#supervisors].sort((a, b) => b.plan.name.localeCompare(a.plan.name));
    for (const supervisor of order) {
      const { identity, plan } = supervisor;
      await supervisor.stop();
      if (identity === null) continue;
      await changeRecord(stateDir, (record) => withoutProcess(record, plan.name, identity));
      log(`${plan.name}: stopped`);
    }
    process.off('exit', this.#lastMoment);
  }
}

const portsOf = (name: string, ports: StackPorts): Partial<StackPorts> =>
  name === 'temporal' ? { temporal: ports.temporal, ui: ports.ui } : { mongo: ports.mongo };

/** Bootstrap and supervisor failures under a name of the closed list; named ones pass. */
const asDomainError =
  (name: 'InvalidConfig' | 'StoreUnavailable') =>
  (error: unknown): never => {
    if (error instanceof DomainError) throw error;
    const message = error instanceof SetupError || error instanceof Error ? error.message : String(error);
    throw new DomainError(name, message, {}, { cause: error });
  };
