/**
 * One thread of the pool as the pool sees it: the scripts that live in it, what they hold, and whether it is stuck. Knows
 * no queue and no outcome.
 */
import { Worker } from 'node:worker_threads';
import type { ScriptLimits } from '../../../shared/script/limits.ts';
import { watchWords, type FromThread, type GuestConfig, type ToThread } from './messages.ts';
import type { Session } from './session.ts';
import { threadMs } from './thread-time.ts';

/** How much longer than its limit a script may stay inside the interpreter, which ends most of them by itself. */
const graceMs = 250;

export interface Guest {
  session: Session;
  script: string;
  config: GuestConfig;
  limits: ScriptLimits;
  /** Threads that failed under it, and those that failed while it ran. */
  failures: number;
  blamed: number;
  /** What its instance held when it was last heard of; what it may hold, before. */
  bytes: number;
}

/** What a thread tells the pool. */
export interface HostEvents {
  heard(host: Host, id: number, message: FromThread): void;
  failed(host: Host, why: string): void;
}

export class Host {
  readonly guests = new Map<number, Guest>();
  private readonly worker: Worker;
  private readonly watch: Int32Array;
  private lastBeat = 0;
  private beatSince = performance.now();
  /** The thread's processor time at `beatSince`. */
  private beatWorkMs: number | null = null;

  constructor(events: HostEvents) {
    const shared = new SharedArrayBuffer(watchWords.count * Int32Array.BYTES_PER_ELEMENT);
    this.watch = new Int32Array(shared);
    this.worker = new Worker(new URL('./thread-entry.mjs', import.meta.url), {
      workerData: shared,
      // Nothing of this process reaches a thread that runs a model's text: no flags, no environment.
      execArgv: [],
      env: {},
      resourceLimits: { stackSizeMb: 4 },
    });
    this.worker.unref();
    this.worker.on('message', (message: FromThread | 'ready') => {
      if (message !== 'ready') events.heard(this, message.id, message);
    });
    this.worker.on('error', (error) => events.failed(this, `the thread failed: ${error.message}`));
    this.worker.on('exit', () => events.failed(this, 'the thread ended'));
  }

  /** Memory of all its scripts. */
  get bytes(): number {
    let sum = 0;
    for (const guest of this.guests.values()) sum += guest.bytes;
    return sum;
  }

  admit(id: number, guest: Guest, dropped: () => void): void {
    this.guests.set(id, guest);
    guest.session.attach({
      settle: (json) => this.send({ type: 'settle', id, json }),
      drop: () => {
        this.drop(id);
        dropped();
      },
    });
    this.send({ type: 'start', id, script: guest.script, config: guest.config, limits: guest.limits });
  }

  /** Ends the instance of a script; its session may go on elsewhere. */
  drop(id: number): void {
    this.guests.delete(id);
    this.send({ type: 'drop', id });
  }

  /** Id of the script that is running, 0 for none. */
  get inside(): number {
    return Atomics.load(this.watch, watchWords.script);
  }

  /**
   * How the running script's stay in the interpreter goes on: `long` past half of its limit, `stuck` when it does not end
   * at its limit. Asked regularly.
   */
  stay(now: number): 'short' | 'long' | 'stuck' {
    const beat = Atomics.load(this.watch, watchWords.beats);
    if (beat !== this.lastBeat) {
      this.lastBeat = beat;
      this.beatSince = now;
      this.beatWorkMs = this.threadMs();
    }
    const guest = this.guests.get(this.inside);
    if (beat % 2 === 0 || guest === undefined) return 'short';
    const { cpuMs } = guest.limits;
    // The processor time is asked for only where the clock says so.
    const insideMs = now - this.beatSince > cpuMs / 2 ? this.workedMs(now) : 0;
    if (insideMs > cpuMs + graceMs) return 'stuck';
    return insideMs > cpuMs / 2 ? 'long' : 'short';
  }

  async terminate(): Promise<void> {
    await this.worker.terminate();
  }

  private send(message: ToThread): void {
    this.worker.postMessage(message);
  }

  private threadMs(): number | null {
    return threadMs(Atomics.load(this.watch, watchWords.thread));
  }

  /** Time that the thread has worked since its last beat; where that cannot be told, time that has passed. */
  private workedMs(now: number): number {
    const workMs = this.threadMs();
    return workMs === null || this.beatWorkMs === null ? now - this.beatSince : workMs - this.beatWorkMs;
  }
}
