/**
 * Copies of blobs on a worker's own disk, so that a worker that starts again, or shares a machine with others, does not
 * fetch the same weights twice. A copy is named by its digest and checked on every read: a damaged one is dropped and
 * fetched anew. Copies are a convenience: a full disk never fails a read.
 */
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobReader, Blobs } from './blobs.ts';

export interface LocalCopiesOptions {
  folder: string;
  /** Of all copies; the least recently read go first. A larger blob is not copied. */
  maxBytes: number;
}

const pieceBytes = 4 << 20;

/** The same blobs, read from local copies where there are some. */
export function withLocalCopies(blobs: Blobs, { folder, maxBytes }: LocalCopiesOptions): Blobs {
  async function read<Result>(digest: string, openReader: (bytes: number) => BlobReader<Result>): Promise<Result> {
    const copy = join(folder, digest);
    const found = await readCopy(copy, digest, openReader);
    if (found !== undefined) return found.result;
    let draft: UnfinishedCopy | undefined;
    try {
      const result = await blobs.read(digest, (bytes) => {
        draft?.drop();
        draft = bytes <= maxBytes ? new UnfinishedCopy(folder) : undefined;
        return copying(openReader(bytes), draft);
      });
      await draft?.keepAs(copy);
      return result;
    } finally {
      draft?.drop();
      await makeRoom(folder, maxBytes);
    }
  }
  return { ...blobs, read, get: (digest) => read(digest, wholeReader) };
}

const wholeReader = (): BlobReader<Uint8Array> => {
  const pieces: Uint8Array[] = [];
  return { push: (piece) => void pieces.push(piece.slice()), finish: () => Buffer.concat(pieces) };
};

/** Undefined where there is no intact copy. The reader's own refusal counts only for intact bytes. */
async function readCopy<Result>(
  copy: string,
  digest: string,
  openReader: (bytes: number) => BlobReader<Result>,
): Promise<{ result: Result } | undefined> {
  let file: FileHandle;
  try {
    file = await open(copy);
  } catch {
    return undefined;
  }
  try {
    const hash = createHash('sha256');
    const reader = openReader((await file.stat()).size);
    const refusals: unknown[] = [];
    for await (const piece of file.createReadStream({ highWaterMark: pieceBytes, autoClose: false })) {
      hash.update(piece as Buffer);
      try {
        if (refusals.length === 0) reader.push(piece as Buffer);
      } catch (error) {
        refusals.push(error);
      }
    }
    if (hash.digest('hex') !== digest) {
      await rm(copy, { force: true });
      return undefined;
    }
    if (refusals.length > 0) throw refusals[0];
    const now = new Date();
    await utimes(copy, now, now).catch(() => undefined);
    return { result: reader.finish() };
  } finally {
    await file.close();
  }
}

function copying<Result>(reader: BlobReader<Result>, draft: UnfinishedCopy | undefined): BlobReader<Result> {
  return {
    push(piece) {
      draft?.write(piece);
      reader.push(piece);
    },
    finish: () => reader.finish(),
  };
}

/** A copy that is being written; it gives up, silently, where the disk refuses. */
class UnfinishedCopy {
  readonly #path: string;
  #file: number | undefined;

  constructor(folder: string) {
    this.#path = join(folder, `${randomUUID()}.part`);
    this.#trying(() => {
      mkdirSync(folder, { recursive: true });
      this.#file = openSync(this.#path, 'wx');
    });
  }

  write(piece: Uint8Array): void {
    this.#trying(() => {
      for (let at = 0; this.#file !== undefined && at < piece.length;) at += writeSync(this.#file, piece, at);
    });
  }

  async keepAs(copy: string): Promise<void> {
    if (this.#file === undefined) return;
    this.#close();
    await rename(this.#path, copy).catch(() => undefined);
  }

  drop(): void {
    if (this.#file === undefined) return;
    this.#close();
    rmSync(this.#path, { force: true });
  }

  #close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
  }

  #trying(task: () => void): void {
    try {
      task();
    } catch {
      this.drop();
    }
  }
}

/** Removes the copies that were read longest ago until the rest fit; what a dead process left unfinished goes with them. */
async function makeRoom(folder: string, maxBytes: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0 }));
      return { path, size, mtimeMs };
    }),
  );
  files.sort((a, b) => a.mtimeMs - b.mtimeMs);
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files) {
    if (total <= maxBytes) return;
    await rm(path, { force: true }).catch(() => undefined);
    total -= size;
  }
}
