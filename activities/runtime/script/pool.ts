/**
 * Runs executions in isolates on several threads. Watches each thread: a script inside which the interpreter stays longer
 * than its limit ends with `cpu-limit`, its thread is ended, and the innocent scripts of that thread are re-run on a new
 * one from what they already have. Watches memory likewise: when all scripts together hold too much, the largest waits its
 * turn again. Knows no journal and no limits' meaning; `session.ts` does.
 */
import { DomainError } from '../../../shared/errors.ts';
import { hash32, streamKey } from '../../../shared/random.ts';
import { apiBuilders, knownTools, largestCount } from '../../../shared/script/api.ts';
import { defaultScriptLimits, type ScriptLimits } from '../../../shared/script/limits.ts';
import type { DryRunReport, ScriptOutcome, ScriptPool, ScriptPoolOptions, ScriptRun } from './contract.ts';
import { dryRunShapes } from './dry-run.ts';
import { Host, type Guest } from './host.ts';
import type { FromThread, GuestConfig } from './messages.ts';
import { Session } from './session.ts';

/** How often threads are looked at. */
const watchEveryMs = 100;
/** Threads that failed under one session before it is the machine's fault. */
const mostFailures = 3;

function seedWords(seedKey: string): number[] {
  const { low, high } = streamKey(seedKey);
  return [low, high, hash32(seedKey, 1), hash32(seedKey, 2)].map((word) => word | 0);
}

const unavailable = (message: string) => new DomainError('SandboxUnavailable', message);

export function createScriptPool(options: ScriptPoolOptions = {}): ScriptPool {
  return new Pool(options);
}

class Pool implements ScriptPool {
  private readonly hosts: (Host | null)[];
  private readonly perThread: number;
  private readonly mostBytes: number;
  private readonly queue: Guest[] = [];
  /** A thread made ready for the neighbours of a script that stays long. */
  private spare: Host | null = null;
  private readonly watchdog: NodeJS.Timeout;
  private nextId = 1;
  private closed = false;

  constructor({ threads = 2, scriptsPerThread = 1000, memoryBytes = 2 * 2 ** 30 }: ScriptPoolOptions) {
    this.hosts = Array.from({ length: threads }, () => null);
    this.perThread = scriptsPerThread;
    this.mostBytes = memoryBytes;
    this.watchdog = setInterval(() => this.look(), watchEveryMs).unref();
  }

  async run(request: ScriptRun): Promise<ScriptOutcome> {
    if (this.closed) throw unavailable('the script pool is closed: make a new one');
    const limits = { ...defaultScriptLimits, ...request.limits };
    const session = new Session(request, limits);
    const { length } = request.script;
    if (length > limits.scriptChars) {
      session.end('script-length-limit', `the script has ${length} characters; at most ${limits.scriptChars}`);
      return session.result;
    }
    const { script } = request;
    const config = guestConfig(request, limits);
    this.queue.push({ session, script, config, limits, failures: 0, blamed: 0, bytes: limits.memoryBytes });
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
    const closed = unavailable('the script pool was closed while the script ran');
    const hosts = this.hosts.splice(0).filter((host) => host !== null);
    for (const guest of this.queue.splice(0)) guest.session.fail(closed);
    for (const host of hosts) for (const guest of [...host.guests.values()]) guest.session.fail(closed);
    const spare = this.takeSpare();
    if (spare !== null) hosts.push(spare);
    await Promise.all(hosts.map((host) => host.terminate()));
  }

  private get bytes(): number {
    return this.hosts.reduce((sum, host) => sum + (host?.bytes ?? 0), 0);
  }

  /** Gives waiting scripts to the least busy threads, as far as there is room. */
  private place(): void {
    while (this.queue.length > 0 && !this.closed) {
      if (this.queue[0]!.session.over) {
        this.queue.shift();
        continue;
      }
      const busy = this.hosts.map((host) => host?.guests.size ?? 0);
      const index = busy.indexOf(Math.min(...busy));
      if (busy[index]! >= this.perThread) return;
      // One script is always let in, or nothing would ever end.
      const isFull = this.bytes + this.queue[0]!.bytes > this.mostBytes;
      if (isFull && busy.some((count) => count > 0)) return;
      const host = (this.hosts[index] ??= this.takeSpare() ?? this.open());
      host.admit(this.nextId++, this.queue.shift()!, () => this.place());
    }
  }

  private takeSpare(): Host | null {
    const { spare } = this;
    this.spare = null;
    return spare;
  }

  private open(): Host {
    return new Host({
      heard: (host, id, message) => this.hear(host, id, message),
      failed: (host, why) => this.lose(host, why),
    });
  }

  private hear(host: Host, id: number, message: FromThread): void {
    const guest = host.guests.get(id);
    if (guest === undefined) return;
    guest.bytes = message.bytes;
    guest.session.hear(message);
    this.makeRoom();
    this.place();
  }

  /** While too much is held, the largest script leaves; it is run again from its answers when there is room. */
  private makeRoom(): void {
    while (this.bytes > this.mostBytes) {
      const all = this.hosts.flatMap((host) =>
        [...(host?.guests ?? [])].map(([id, guest]) => ({ host: host!, id, guest })),
      );
      const movable = all.filter(({ host, id }) => id !== host.inside);
      if (all.length < 2 || movable.length === 0) return;
      const { host, id, guest } = movable.reduce((most, one) => (one.guest.bytes > most.guest.bytes ? one : most));
      host.drop(id);
      guest.session.detach();
      this.queue.push(guest);
    }
  }

  private look(): void {
    const now = performance.now();
    for (const host of this.hosts) {
      const stay = host?.stay(now);
      if (stay === 'stuck') this.lose(host!, null);
      else if (stay === 'long') this.spare ??= this.open();
    }
  }

  /** Ends a thread and moves its scripts; `why` null: the script that it is in has been there too long. */
  private lose(host: Host, why: string | null): void {
    if (host === this.spare) this.spare = null;
    const index = this.hosts.indexOf(host);
    if (index < 0 || this.closed) return;
    const { inside } = host;
    this.hosts[index] = null;
    void host.terminate();
    const moving = [...host.guests];
    host.guests.clear();
    for (const [id, guest] of moving) {
      const { session } = guest;
      if (id === inside && why === null) {
        session.end('cpu-limit', `more than ${guest.limits.cpuMs} ms inside one built-in operation`);
      } else if (id === inside && ++guest.blamed > 1) session.end('script-error', why);
      else if (why !== null && ++guest.failures > mostFailures) {
        session.fail(unavailable(`${why}: ${guest.failures} threads were lost under one script`));
      } else {
        session.detach();
        this.queue.push(guest);
      }
    }
    this.place();
  }
}

const guestConfig = (request: ScriptRun, limits: ScriptLimits): GuestConfig => ({
  question: request.question,
  seed: seedWords(request.seedKey),
  limits: { calls: limits.calls, toolCalls: limits.toolCalls, totalTokens: limits.totalTokens },
  tools: request.grantedTools ?? [],
  knownTools: [...new Set([...knownTools, ...(request.grantedTools ?? [])])],
  builders: apiBuilders,
  largestCount,
});
