/**
 * Weights, optimizer moments and tokenizers in GridFS, named by their SHA-256. Writing the same content twice stores it
 * once; reading checks the digest. Knows nothing of what a blob means.
 */
import { createHash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import { GridFSBucket } from 'mongodb';
import type { Db, ObjectId } from 'mongodb';
import { DomainError } from '../../shared/errors.ts';

export const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export interface Blobs {
  /** Stores `bytes` unless they are there; returns their digest once they are durable. */
  put(bytes: Uint8Array): Promise<string>;
  /** Throws `CheckpointMissing` or `CheckpointCorrupt`. */
  get(digest: string): Promise<Uint8Array>;
  has(digest: string): Promise<boolean>;
  remove(digest: string): Promise<void>;
  list(): Promise<{ digest: string; bytes: number }[]>;
}

const missing = (digest: string) =>
  new DomainError('CheckpointMissing', `blob ${digest} is not in the store: it was pruned or never committed`, {
    digest,
  });

export function openBlobs(db: Db): Blobs {
  const bucket = new GridFSBucket(db, { bucketName: 'weights', chunkSizeBytes: 4 << 20 });
  const copies = (digest: string) => bucket.find({ filename: digest }).toArray();

  async function read(id: ObjectId): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of bucket.openDownloadStream(id)) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks);
  }

  return {
    has: async (digest) => (await copies(digest)).length > 0,
    /** Every upload has an id of its own, so a second writer of the same content can never damage the first's. */
    async put(bytes) {
      const digest = digestOf(bytes);
      if ((await copies(digest)).length === 0) {
        const stream = bucket.openUploadStream(digest);
        stream.end(bytes);
        await finished(stream);
      }
      return digest;
    },
    async get(digest) {
      const found = await copies(digest);
      for (const copy of found) {
        const bytes = await read(copy._id);
        if (digestOf(bytes) === digest) return bytes;
      }
      if (found.length === 0) throw missing(digest);
      throw new DomainError('CheckpointCorrupt', `blob ${digest} is damaged: its bytes have another digest`, {
        digest,
      });
    },
    async remove(digest) {
      for (const copy of await copies(digest)) await bucket.delete(copy._id);
    },
    async list() {
      const found = await bucket.find({}).toArray();
      return found.map((file) => ({ digest: file.filename, bytes: file.length }));
    },
  };
}
