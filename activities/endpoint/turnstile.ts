/** Lets at most so many in at a time, and no two within an interval. First come, first served. */
import { setTimeout as sleep } from 'node:timers/promises';

export class Turnstile {
  #free: number;
  readonly #intervalMs: number;
  #nextMs = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number, intervalMs: number) {
    this.#free = places;
    this.#intervalMs = intervalMs;
  }

  /** Rejects with the signal's reason when it aborts in the queue. */
  async pass<Result>(signal: AbortSignal, task: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      signal.throwIfAborted();
      const nowMs = performance.now();
      const startMs = Math.max(nowMs, this.#nextMs);
      this.#nextMs = startMs + this.#intervalMs;
      if (startMs > nowMs) await sleep(startMs - nowMs, undefined, { signal });
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
