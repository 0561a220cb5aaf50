/**
 * One fork server as Node sees it: started, asked one thing at a time, ended. A server that dies, or does not answer in
 * time, rejects what it was asked; who asks again is decided in `slots.ts`. Knows nothing of programs or verdicts.
 */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment, readablePaths, serverCommand, serverModules } from './command.ts';
import type { Installation, Tier } from './command.ts';
import { FrameReader, encodeFrame } from './frames.ts';
import type { Frame } from './frames.ts';

/** An interpreter starts in 0.1 s on an idle machine; a loaded one may take seconds. */
const startTimeoutMs = 20_000;
/** Time to leave by itself; emptying the scratch folder takes milliseconds. */
const stopTimeoutMs = 1_000;

/** Time in which a server reaps children that were ended, and how often they are looked for. */
const reapTimeoutMs = 500;
const reapEveryMs = 20;

/** Real uid 0 is bound by no process limit, so root never runs a server as itself. One uid per slot and process. */
export function slotUser(slot: number): { uid: number; gid: number } | Record<string, never> {
  if (process.getuid?.() !== 0) return {};
  const uid = 61_184 + ((process.pid * 16 + slot) % 4_000);
  return { uid, gid: uid };
}

interface Pending {
  resolve: (frame: Frame) => void;
  reject: (error: Error) => void;
}

export class ForkServer {
  /** What the server said of itself: Landlock's ABI (0: none), Python's version, its uid. */
  readonly facts: { landlock: number; python: string; uid: number };
  readonly #link: Link;
  readonly #scratch: string | null;

  private constructor(link: Link, scratch: string | null, facts: Record<string, unknown>) {
    this.#link = link;
    this.#scratch = scratch;
    this.facts = facts as ForkServer['facts'];
  }

  /** Rejects with what the server printed when it cannot start. */
  static async start(tier: Tier, installation: Installation, slot: number): Promise<ForkServer> {
    const user = slotUser(slot);
    const scratch = tier.bubblewrap ? null : mkdtempSync(join(tmpdir(), 'metaagentx-python-'));
    if (scratch !== null && user.uid !== undefined) chownSync(scratch, user.uid, user.gid);
    const { command, argv } = serverCommand(tier, installation);
    // A session of its own: the whole group is ended at once.
    const child = spawn(command, argv, {
      env: { ...cleanEnvironment },
      cwd: '/',
      detached: true,
      stdio: 'pipe',
      ...user,
    });
    const link = new Link(child);
    const modules = serverModules();
    const settings = {
      scratch: scratch ?? '/scratch',
      landlock: tier.landlock,
      seccomp: tier.seccomp,
      readable: readablePaths(installation),
    };
    const header = { modules: modules.map((module) => module.name), settings };
    const sources = modules.map((module) => module.text);
    try {
      const ready = await link.ask(encodeFrame(header, sources), startTimeoutMs);
      return new ForkServer(link, scratch, ready.header);
    } catch (error) {
      await link.kill();
      if (scratch !== null) await rm(scratch, { recursive: true, force: true });
      throw error;
    }
  }

  get alive(): boolean {
    return this.#link.alive;
  }

  /** One request at a time. Rejects when the server ends or does not answer within `timeoutMs`. */
  ask(header: Record<string, unknown>, parts: readonly Buffer[], timeoutMs: number): Promise<Frame> {
    return this.#link.ask(encodeFrame(header, parts), timeoutMs);
  }

  /** Ends it at once, with all its children; resolves when they are gone and reaped. */
  async kill(): Promise<void> {
    await this.#link.kill();
    if (this.#scratch !== null) await rm(this.#scratch, { recursive: true, force: true });
  }

  /** Lets it clean up and leave; ends it if it does not. */
  async stop(): Promise<void> {
    await this.#link.leave(stopTimeoutMs);
    await this.kill();
  }
}

/** Processes that a process has started; none where the kernel does not tell. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Ends a process, or a group; false where there is none. */
function signal(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** The process and its frame channel. */
class Link {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<void>;
  readonly #reader = new FrameReader();
  #pending: Pending | null = null;
  #complaint = '';
  #end: Error | null = null;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString('utf8')).slice(-2_000);
    });
    // Writing to a process that has just ended is reported by its end.
    child.stdin.on('error', () => undefined);
    this.#closed = new Promise((resolve) => {
      child.on('error', (error) => {
        this.#finish(error.message);
        resolve();
      });
      // 'close' comes after the last holder of its pipes is gone: everything inside has ended too.
      child.on('close', (code, signal) => {
        this.#finish(`it ended with ${signal ?? `exit status ${code}`}`);
        resolve();
      });
    });
  }

  get alive(): boolean {
    return this.#end === null;
  }

  ask(request: Buffer, timeoutMs: number): Promise<Frame> {
    if (this.#end !== null) return Promise.reject(this.#end);
    if (this.#pending !== null)
      return Promise.reject(new Error('internal: a fork server answers one request at a time'));
    return new Promise<Frame>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending = null;
        reject(new Error(`it did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
      const settled = <T>(settle: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer);
          this.#pending = null;
          settle(value);
        };
      };
      this.#pending = { resolve: settled(resolve), reject: settled(reject) };
      this.#child.stdin.write(request);
    });
  }

  async leave(timeoutMs: number): Promise<void> {
    this.#child.stdin.end();
    await this.#closedWithin(timeoutMs);
  }

  /**
   * Its children first: it reaps them and leaves. Ended together with it they would be left to process 1, which in many
   * containers reaps nobody.
   */
  async kill(): Promise<void> {
    const { pid } = this.#child;
    if (this.#end === null && pid !== undefined) {
      // First of all: what it says from now on is about a program that was ended, and no answer.
      this.#finish('it was ended');
      this.#child.stdin.end();
      const until = performance.now() + reapTimeoutMs;
      let closed = false;
      while (!closed && performance.now() < until) {
        for (const child of childrenOf(pid)) signal(child);
        closed = await this.#closedWithin(reapEveryMs);
      }
      if (!closed && !signal(-pid)) this.#child.kill('SIGKILL');
    }
    await this.#closed;
  }

  async #closedWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, ms, false)));
    const closed = await Promise.race([this.#closed.then(() => true), late]);
    clearTimeout(timer);
    return closed;
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) this.#pending?.resolve(frame);
    } catch (error) {
      this.#pending?.reject(error as Error);
      void this.kill();
    }
  }

  #finish(what: string): void {
    if (this.#end !== null) return;
    const complaint = this.#complaint.trim().split('\n').slice(-3).join(' | ');
    this.#end = new Error(complaint === '' ? what : `${what}: ${complaint}`);
    this.#pending?.reject(this.#end);
  }
}
