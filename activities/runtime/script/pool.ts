/**
 * Runs executions in isolates on several threads. Watches each thread: a script inside which the interpreter stays longer
 * than its limit ends with `cpu-limit`, its thread is ended, and the innocent scripts of that thread are re-run on a new
 * one from what they already have. Knows no journal and no limits' meaning; `session.ts` does.
 */
import { Worker } from 'node:worker_threads';
import { DomainError } from '../../../shared/errors.ts';
import { hash32, streamKey } from '../../../shared/random.ts';
import { apiBuilders, knownTools, largestCount } from '../../../shared/script/api.ts';
import { defaultScriptLimits, type ScriptLimits } from '../../../shared/script/limits.ts';
import type { DryRunReport, ScriptOutcome, ScriptPool, ScriptPoolOptions, ScriptRun } from './contract.ts';
import { dryRunShapes } from './dry-run.ts';
import { watchWords, type FromThread, type GuestConfig, type ToThread } from './messages.ts';
import { Session } from './session.ts';
import { threadMs } from './thread-time.ts';

/** How often threads are looked at, and how much longer than its limit a script may stay inside the interpreter. */
const watchEveryMs = 100;
const graceMs = 500;
/** Threads lost under one session before it is the machine's fault. */
const mostRestarts = 3;

interface Guest {
  session: Session;
  script: string;
  config: GuestConfig;
  limits: ScriptLimits;
  restarts: number;
}

interface Host {
  worker: Worker;
  watch: Int32Array;
  guests: Map<number, Guest>;
  lastBeat: number;
  beatSince: number;
  /** The thread's processor time at `beatSince`. */
  beatWorkMs: number | null;
  lost: boolean;
}

function seedWords(seedKey: string): number[] {
  const { low, high } = streamKey(seedKey);
  return [low, high, hash32(seedKey, 1), hash32(seedKey, 2)].map((word) => word | 0);
}

export function createScriptPool(options: ScriptPoolOptions = {}): ScriptPool {
  return new Pool(options.threads ?? 2, options.scriptsPerThread ?? 1000);
}

class Pool implements ScriptPool {
  private readonly hosts: (Host | null)[];
  private readonly perThread: number;
  private readonly queue: Guest[] = [];
  private readonly watchdog: NodeJS.Timeout;
  private nextId = 1;
  private closed = false;

  constructor(threads: number, perThread: number) {
    this.hosts = Array.from({ length: threads }, () => null);
    this.perThread = perThread;
    this.watchdog = setInterval(() => this.look(), watchEveryMs).unref();
  }

  async run(request: ScriptRun): Promise<ScriptOutcome> {
    if (this.closed) throw new DomainError('SandboxUnavailable', 'the script pool is closed: make a new one');
    const limits = { ...defaultScriptLimits, ...request.limits };
    const session = new Session(request, limits);
    if (request.script.length > limits.scriptChars) {
      session.end(
        'script-length-limit',
        `the script has ${request.script.length} characters; at most ${limits.scriptChars}`,
      );
      return session.result;
    }
    const config: GuestConfig = {
      question: request.question,
      seed: seedWords(request.seedKey),
      limits: { calls: limits.calls, toolCalls: limits.toolCalls, totalTokens: limits.totalTokens },
      tools: request.grantedTools ?? [],
      knownTools: [...new Set([...knownTools, ...(request.grantedTools ?? [])])],
      builders: apiBuilders,
      largestCount,
    };
    this.queue.push({ session, script: request.script, config, limits, restarts: 0 });
    this.place();
    return session.result;
  }

  async dryRun(request: Parameters<ScriptPool['dryRun']>[0]): Promise<DryRunReport> {
    const shapes = dryRunShapes.map(async ({ shape, stub }) => ({
      shape,
      outcome: await this.run({ ...request, ...stub(), executionId: `dry-run ${shape}`, seedKey: `dry-run/${shape}` }),
    }));
    return { shapes: await Promise.all(shapes) };
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.watchdog);
    const unavailable = new DomainError('SandboxUnavailable', 'the script pool was closed while the script ran');
    const hosts = this.hosts.splice(0).filter((host) => host !== null);
    for (const guest of this.queue.splice(0)) guest.session.fail(unavailable);
    for (const host of hosts) for (const guest of [...host.guests.values()]) guest.session.fail(unavailable);
    await Promise.all(hosts.map((host) => host.worker.terminate()));
  }

  /** Gives waiting scripts to the least busy threads. */
  private place(): void {
    while (this.queue.length > 0 && !this.closed) {
      const busy = this.hosts.map((host) => host?.guests.size ?? 0);
      const index = busy.indexOf(Math.min(...busy));
      if (busy[index]! >= this.perThread) return;
      const host = (this.hosts[index] ??= this.open(index));
      const guest = this.queue.shift()!;
      if (!guest.session.over) this.admit(host, guest);
    }
  }

  private admit(host: Host, guest: Guest): void {
    const id = this.nextId++;
    host.guests.set(id, guest);
    const send = (message: ToThread) => host.worker.postMessage(message);
    guest.session.attach({
      settle: (json) => send({ type: 'settle', id, json }),
      drop: () => {
        host.guests.delete(id);
        send({ type: 'drop', id });
        this.place();
      },
    });
    send({ type: 'start', id, script: guest.script, config: guest.config, limits: guest.limits });
  }

  private open(index: number): Host {
    const shared = new SharedArrayBuffer(watchWords.count * Int32Array.BYTES_PER_ELEMENT);
    const worker = new Worker(new URL('./thread-entry.mjs', import.meta.url), {
      workerData: shared,
      // Nothing of this process reaches a thread that runs a model's text: no flags, no environment.
      execArgv: [],
      env: {},
      resourceLimits: { stackSizeMb: 4 },
    });
    const watch = new Int32Array(shared);
    const beatSince = performance.now();
    const host: Host = { worker, watch, guests: new Map(), lastBeat: 0, beatSince, beatWorkMs: null, lost: false };
    worker.unref();
    worker.on('message', (message: FromThread | 'ready') => {
      if (message !== 'ready') host.guests.get(message.id)?.session.hear(message);
    });
    worker.on('error', (error) => this.lose(index, host, `the thread failed: ${error.message}`));
    worker.on('exit', () => this.lose(index, host, 'the thread ended'));
    return host;
  }

  private look(): void {
    const now = performance.now();
    this.hosts.forEach((host, index) => {
      if (host === null) return;
      const beat = Atomics.load(host.watch, watchWords.beats);
      if (beat !== host.lastBeat) {
        host.lastBeat = beat;
        host.beatSince = now;
        host.beatWorkMs = threadMs(Atomics.load(host.watch, watchWords.thread));
      }
      const guest = host.guests.get(Atomics.load(host.watch, watchWords.script));
      if (beat % 2 === 0 || guest === undefined) return;
      const allowedMs = guest.limits.cpuMs + graceMs;
      if (now - host.beatSince > allowedMs && workedMs(host, now) > allowedMs) this.lose(index, host, null);
    });
  }

  /** Ends a thread and moves its scripts; `why` null: the script that it is in has been there too long. */
  private lose(index: number, host: Host, why: string | null): void {
    if (host.lost) return;
    host.lost = true;
    if (this.closed) return;
    const inside = Atomics.load(host.watch, watchWords.script);
    this.hosts[index] = null;
    void host.worker.terminate();
    for (const [id, guest] of [...host.guests]) {
      host.guests.delete(id);
      if (id === inside) {
        const limit = `more than ${guest.limits.cpuMs} ms inside one built-in operation`;
        guest.session.end(why === null ? 'cpu-limit' : 'script-error', why ?? limit);
      } else if (++guest.restarts > mostRestarts) {
        guest.session.fail(
          new DomainError(
            'SandboxUnavailable',
            `${why ?? 'stuck'}: ${mostRestarts} threads were lost under one script`,
          ),
        );
      } else this.queue.push(guest);
    }
    this.place();
  }
}

/** Time that a thread has worked since its last beat; where that cannot be told, time that has passed. */
function workedMs(host: Host, now: number): number {
  const workMs = threadMs(Atomics.load(host.watch, watchWords.thread));
  return workMs === null || host.beatWorkMs === null ? now - host.beatSince : workMs - host.beatWorkMs;
}
