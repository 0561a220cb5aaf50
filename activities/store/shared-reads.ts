/** Reads of the same thing that overlap in time are one read: many activities of a worker start with the same document. */
export class SharedReads<Value> {
  readonly #open = new Map<string, Promise<Value>>();

  /** Joins a read of `key` that is under way, else begins one. Nothing is kept once it has ended. */
  read(key: string, begin: () => Promise<Value>): Promise<Value> {
    let reading = this.#open.get(key);
    if (reading === undefined) {
      reading = begin().finally(() => this.#open.delete(key));
      this.#open.set(key, reading);
    }
    return reading;
  }
}
