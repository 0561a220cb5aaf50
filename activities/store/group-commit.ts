/**
 * Many small acknowledged inserts in few round trips: drafts that arrive while a write is under way go out together in
 * the next one. `add` resolves only when its own draft is durable: true if it was this draft that was stored, false if
 * another one stood under its id. A draft that the store refuses fails alone.
 */
import type { Collection } from 'mongodb';
import { insertEach } from './write.ts';
import type { Draft } from './write.ts';

interface Waiting<Doc extends { _id: string; schemaVersion: number; createdAt: Date }> {
  draft: Draft<Doc>;
  resolve: (stored: boolean) => void;
  reject: (error: unknown) => void;
}

/** Documents of one write, at most: well under the 16 MiB message limit for calls of a few thousand tokens. */
const maxBatch = 256;

export class GroupCommit<Doc extends { _id: string; schemaVersion: number; createdAt: Date }> {
  readonly #collection: Collection<Doc>;
  readonly #waiting: Waiting<Doc>[] = [];
  #writing = false;

  constructor(collection: Collection<Doc>) {
    this.#collection = collection;
  }

  add(draft: Draft<Doc>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ draft, resolve, reject });
      if (!this.#writing) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    // One turn of the event loop: replies of one decode step arrive together and share the write.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, maxBatch);
      try {
        const drafts = batch.map((entry) => entry.draft);
        const outcomes = await insertEach(this.#collection, drafts);
        batch.forEach(({ resolve, reject }, index) => {
          const outcome = outcomes[index]!;
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome === 'stored');
        });
      } catch (error) {
        batch.forEach((entry) => entry.reject(error));
      }
    }
    this.#writing = false;
  }
}
