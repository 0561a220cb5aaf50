/**
 * A fixed number of slots, each with one fork server: waiting in order, replacing a server after a number of tests, when
 * it died or when it did not answer. Infrastructure failures are tried once more on a fresh server, then thrown.
 * Knows requests and answers, not verdicts.
 */
import { DomainError } from '../../../shared/errors.ts';
import type { Installation, Tier } from './command.ts';
import type { Frame } from './frames.ts';
import { ForkServer } from './server.ts';

/** Wall limits that a server waits where the machine has no core for the program; the twin of zygote/server.py. */
const patience = 12;
/** Beyond that, for the fork, the kill and the answer on a loaded machine. */
const answerGraceMs = 1_400;

export interface Slot {
  index: number;
  server: ForkServer | null;
  tests: number;
}

export class Slots {
  readonly #tier: Tier;
  readonly #installation: Installation;
  readonly #testsPerServer: number;
  readonly #all: Slot[];
  readonly #free: Slot[];
  readonly #waiting: { give: (slot: Slot) => void; refuse: (error: unknown) => void }[] = [];
  #closed = false;

  constructor(tier: Tier, installation: Installation, workers: number, testsPerServer: number) {
    this.#tier = tier;
    this.#installation = installation;
    this.#testsPerServer = testsPerServer;
    this.#all = Array.from({ length: workers }, (_, index) => ({ index, server: null, tests: 0 }));
    this.#free = [...this.#all];
  }

  /** A slot for the caller alone, first come first served. Rejects with `signal.reason` when aborted while waiting. */
  acquire(signal?: AbortSignal): Promise<Slot> {
    if (this.#closed) return Promise.reject(closedError());
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const slot = this.#free.shift();
    if (slot !== undefined) return Promise.resolve(slot);
    return new Promise((give, reject) => {
      const entry = {
        give: (given: Slot) => {
          signal?.removeEventListener('abort', leave);
          give(given);
        },
        refuse: reject,
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(entry);
    });
  }

  release(slot: Slot): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(slot);
    else next.give(slot);
  }

  /** Runs one test in a slot. An aborted signal ends the server with the program. */
  async ask(
    slot: Slot,
    header: Record<string, unknown>,
    parts: readonly Buffer[],
    wallMs: number,
    signal?: AbortSignal,
  ) {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      if (this.#closed) throw closedError();
      const abort = () => void slot.server?.kill();
      try {
        const server = await this.#server(slot);
        // It may have been aborted while the server started.
        signal?.throwIfAborted();
        signal?.addEventListener('abort', abort, { once: true });
        slot.tests++;
        return checked(await server.ask(header, parts, wallMs * patience + answerGraceMs));
      } catch (error) {
        await this.#retire(slot);
        signal?.throwIfAborted();
        if (this.#closed) throw closedError();
        if (attempt === 2) throw unavailable(this.#tier, error);
      } finally {
        signal?.removeEventListener('abort', abort);
      }
    }
  }

  /** Starts every server that is not running, so that the first tests need not wait. */
  async warm(): Promise<void> {
    await Promise.all(this.#free.map((slot) => this.#server(slot)));
  }

  /** What slot 0's server said of itself. */
  async facts(): Promise<ForkServer['facts']> {
    return (await this.#server(this.#all[0]!)).facts;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const entry of this.#waiting.splice(0)) entry.refuse(closedError());
    const ends = this.#all.map((slot) => (this.#free.includes(slot) ? slot.server?.stop() : slot.server?.kill()));
    await Promise.all(ends.map((end) => end ?? Promise.resolve()));
    // A server that was being started while the sandbox closed.
    await Promise.all(this.#all.map((slot) => slot.server?.kill() ?? Promise.resolve()));
  }

  async #server(slot: Slot): Promise<ForkServer> {
    if (slot.server !== null && (!slot.server.alive || slot.tests >= this.#testsPerServer)) {
      const old = slot.server;
      slot.server = null;
      await (old.alive ? old.stop() : old.kill());
    }
    if (slot.server === null) {
      slot.tests = 0;
      const server = await ForkServer.start(this.#tier, this.#installation, slot.index);
      if (this.#closed) await server.kill();
      slot.server = server;
    }
    return slot.server;
  }

  async #retire(slot: Slot): Promise<void> {
    const server = slot.server;
    slot.server = null;
    await server?.kill();
  }
}

function checked(frame: Frame): Frame {
  const { broken } = frame.header;
  if (typeof broken === 'string') throw new Error(broken);
  return frame;
}

const closedError = () =>
  new DomainError('SandboxUnavailable', 'the Python sandbox is closed: open it again to run programs');

function unavailable(tier: Tier, cause: unknown): DomainError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DomainError(
    'SandboxUnavailable',
    `the Python sandbox (tier ${tier.name}) failed twice: ${why}. The program was not judged; retry it`,
    { tier: tier.name },
    { cause },
  );
}
