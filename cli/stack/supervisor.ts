/**
 * Keeps one child process running: starts it in a session of its own (so that Ctrl-C reaches the CLI only), restarts it
 * with growing pauses when it dies, stops it with SIGTERM and then SIGKILL. Also watches a process that an earlier, now
 * dead supervisor left running. Knows nothing about what the process does beyond the readiness check it is given.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { identify, isAlive, type Identity } from '../../bootstrap/identity.mjs';

export type Log = (line: string) => void;

/** How to run and judge one process. */
export interface ProcessPlan {
  name: string;
  program: string;
  args: readonly string[];
  env: Record<string, string | undefined>;
  cwd?: string;
  logFile: string;
  /** Null when the process serves, else what is still missing; asked until `readyWithinMs` has passed. */
  ready: (seen: { logFrom: number }) => Promise<string | null>;
  readyWithinMs: number;
  /** Time between SIGTERM and SIGKILL. */
  graceMs: number;
  /** Pauses before the first, second, ... restart; the last one repeats. */
  pausesMs?: readonly number[];
}

/** What the supervisor tells its owner. */
export interface SupervisorEvents {
  log: Log;
  /**
   * A process exists: a new one, which runs nothing before this resolves, or an adopted one. Should the owner be killed
   * later, the next one must know what it left behind.
   */
  onProcess: (identity: Identity) => Promise<unknown>;
  /** It cannot be kept alive; no more attempts. */
  onLost: (error: Error) => void;
}

const isWindows = process.platform === 'win32';
const pollMs = 50;
const watchMs = 500;
const defaultPausesMs: readonly number[] = [100, 500, 1000, 2000, 5000];
/** This many deaths within this time mean that restarting does not help. */
const maxDeaths = 6;
const deathWindowMs = 120_000;

export class Supervisor {
  readonly plan: ProcessPlan;
  #events: SupervisorEvents;
  #identity: Identity | null = null;
  #child: ChildProcess | null = null;
  #stopping = false;
  #deaths: number[] = [];
  #watch: NodeJS.Timeout | null = null;
  #restart: Promise<void> = Promise.resolve();

  constructor(plan: ProcessPlan, events: SupervisorEvents) {
    this.plan = plan;
    this.#events = events;
  }

  /** The process that runs now, or null. */
  get identity(): Identity | null {
    return this.#identity;
  }

  /** Starts the process and waits until it serves. Throws with the end of its log when it does not. */
  async start(): Promise<void> {
    const { plan } = this;
    mkdirSync(dirname(plan.logFile), { recursive: true });
    const logFrom = sizeOf(plan.logFile);
    const fd = openSync(plan.logFile, 'a');
    const { program, args } = gated(plan);
    const child = spawn(program, args, {
      cwd: plan.cwd,
      env: plan.env,
      stdio: ['pipe', fd, fd],
      detached: !isWindows,
    });
    closeSync(fd);
    // It may have ended, or never begun, before its line arrives.
    child.stdin?.on('error', () => undefined);
    const failed = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`could not be started: ${error.message}`));
      child.once('exit', (code, signal) => resolve(`ended with ${signal ?? `exit code ${code}`}`));
    });
    if (child.pid === undefined) throw new Error(`${plan.name} ${await failed}`);
    this.#child = child;
    this.#identity = identify(child.pid);
    try {
      await this.#events.onProcess(this.#identity);
    } catch (error) {
      await this.#end();
      throw error;
    }
    child.stdin?.end('go\n');
    let ended: string | null = null;
    void failed.then((how) => (ended = how));
    const why = await this.#untilReady(logFrom, () => ended);
    if (why !== null) {
      await this.#end();
      throw new Error(`${plan.name} ${why}; its log ${plan.logFile} ends: ${tail(plan.logFile, logFrom)}`);
    }
    const mine = this.#identity;
    void failed.then((how) => this.#died(mine, how));
  }

  /** Takes over a running process that somebody else started. */
  async adopt(identity: Identity): Promise<void> {
    this.#identity = identity;
    await this.#events.onProcess(identity);
    this.#watch = setInterval(() => {
      if (!isAlive(identity)) this.#died(identity, 'ended');
    }, watchMs);
  }

  /** Ends the process for good; waits until it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#restart.catch(() => undefined);
    await this.#end();
  }

  /** Asks the process to end without waiting; for the last moment of this process. */
  stopNow(): void {
    this.#stopping = true;
    if (this.#identity !== null) sendSignal(this.#identity, 'SIGTERM');
  }

  async #untilReady(logFrom: number, ended: () => string | null): Promise<string | null> {
    const deadline = Date.now() + this.plan.readyWithinMs;
    for (;;) {
      const gone = ended();
      if (gone !== null) return gone;
      if (this.#stopping) return 'was stopped while starting';
      const missing = await this.plan.ready({ logFrom });
      if (missing === null && ended() === null) return null;
      if (Date.now() > deadline) return `was not ready within ${this.plan.readyWithinMs / 1000} s (${missing ?? ''})`;
      await sleep(pollMs);
    }
  }

  #died(which: Identity, how: string): void {
    if (this.#identity?.pid !== which.pid) return;
    this.#identity = null;
    if (this.#watch !== null) clearInterval(this.#watch);
    if (this.#stopping) return;
    this.#restart = this.#revive(how).catch((error: unknown) =>
      this.#events.onLost(error instanceof Error ? error : new Error(String(error))),
    );
  }

  async #revive(how: string): Promise<void> {
    let reason = how;
    for (;;) {
      const now = Date.now();
      this.#deaths = [...this.#deaths.filter((at) => now - at < deathWindowMs), now];
      const count = this.#deaths.length;
      if (count >= maxDeaths)
        throw new Error(
          `${this.plan.name} died ${count} times in ${deathWindowMs / 1000} s (${reason}); see ${this.plan.logFile}`,
        );
      const { pausesMs = defaultPausesMs } = this.plan;
      const pauseMs = pausesMs[Math.min(count, pausesMs.length) - 1] ?? 0;
      this.#events.log(`${this.plan.name} ${reason}; starting it again in ${pauseMs} ms`);
      await sleep(pauseMs);
      if (this.#stopping) return;
      try {
        await this.start();
        this.#events.log(`${this.plan.name} is back (pid ${this.#identity?.pid ?? '?'}) after ${Date.now() - now} ms`);
        return;
      } catch (error) {
        if (this.#stopping) return;
        reason = (error as Error).message.replace(`${this.plan.name} `, '');
      }
    }
  }

  async #end(): Promise<void> {
    if (this.#watch !== null) clearInterval(this.#watch);
    const identity = this.#identity;
    if (identity !== null) await endProcess(identity, this.plan.graceMs);
    this.#identity = null;
    this.#child?.removeAllListeners();
    this.#child = null;
  }
}

/**
 * The plan's program behind a shell that waits for a line on its input and then becomes it (same pid, same start time).
 * A supervisor killed before it recorded the pid never writes that line: the input ends, and so does the shell. On
 * Windows there is no such shell and the program starts at once.
 */
function gated({ program, args }: ProcessPlan): { program: string; args: string[] } {
  if (isWindows) return { program, args: [...args] };
  return { program: '/bin/sh', args: ['-c', 'read -r go && exec "$@" </dev/null', 'sh', program, ...args] };
}

/** SIGTERM, then SIGKILL after `graceMs`; resolves when exactly this process is gone. */
export async function endProcess(identity: Identity, graceMs: number): Promise<void> {
  if (!isAlive(identity)) return;
  sendSignal(identity, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (isAlive(identity) && Date.now() < deadline) await sleep(pollMs);
  // The whole group: a server killed hard must not leave its own children.
  if (isAlive(identity)) sendSignal({ ...identity, pid: -identity.pid }, 'SIGKILL');
  while (isAlive(identity)) await sleep(pollMs);
}

function sendSignal(identity: Identity, signal: NodeJS.Signals): void {
  if (identity.pid > 0 && !isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch {
    // It ended between the check and the signal.
  }
}

/** What is never the reason: stack frames, lone brackets, Node's version line. */
const noise = /^\s*(at .*|[{}[\]^]*|Node\.js v.*)$/;

/** The last telling lines that were written to a log from byte `from` on. */
export function tail(file: string, from = 0, lines = 5): string {
  const telling = readLog(file, from)
    .split('\n')
    .filter((line) => !noise.test(line));
  const text = telling
    .slice(-lines)
    .map((line) => line.trim())
    .join(' | ');
  return text === '' ? '(nothing)' : text.slice(-1500);
}

/** What was written to a log from byte `from` on. */
export function readLog(file: string, from: number): string {
  try {
    return readFileSync(file).subarray(from).toString('utf8');
  } catch {
    return '';
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
