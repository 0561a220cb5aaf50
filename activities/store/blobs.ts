/**
 * Weights, optimizer moments and tokenizers in GridFS, named by their SHA-256. Writing the same content twice stores it
 * once; reading checks the digest. Knows nothing of what a blob means.
 *
 * Removal is safe beside any writer, without clocks. A writer first claims the digest, then looks for a copy that is not
 * condemned. A remover first condemns the copies, then looks for claims and needs, and deletes only what still carries
 * its own mark. So either the remover sees the claim, or the writer sees the mark and stores a copy of its own.
 *
 * A claim whose writer died goes when its version is committed, by whoever takes the work up. Nobody takes a repair up: it
 * holds what it restores for a time that it keeps putting off, and what it left behind goes when that time is over.
 */
import { createHash } from 'node:crypto';
import { Binary, ObjectId } from 'mongodb';
import type { Db } from 'mongodb';
import { DomainError } from '../../shared/errors.ts';
import { crashPoint } from '../crash-point.ts';

export const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Content in pieces of any size, in order. It is asked for twice: once for its digest, once to be written. */
export type BlobPieces = () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Takes a blob's bytes in pieces of any size, in order. */
export interface BlobReader<Result> {
  push(piece: Uint8Array): void;
  finish(): Result;
}

export interface Blobs {
  /**
   * Stores the content unless it is there; returns its digest once it is durable. It stays until `release` at least,
   * whoever else removes blobs. `claimant` is the id of the document that will name it.
   */
  put(content: Uint8Array | BlobPieces, claimant: string): Promise<string>;
  /**
   * Claims a blob that another document names: it stays until `release` at least. Throws `CheckpointMissing` or
   * `CheckpointCorrupt`.
   */
  claim(digest: string, claimant: string): Promise<void>;
  /** The claimant's document is stored, or will never be. */
  release(claimant: string): Promise<void>;
  /** Throws `CheckpointMissing` or `CheckpointCorrupt`. */
  get(digest: string): Promise<Uint8Array>;
  /** As `get`, without holding the whole; `open` is called again where a copy turns out damaged. */
  read<Result>(digest: string, open: (bytes: number) => BlobReader<Result>): Promise<Result>;
  has(digest: string): Promise<boolean>;
  /** Removes the blob unless it is claimed or `isNeeded` says so; true when it is gone. */
  remove(digest: string, isNeeded: () => Promise<boolean>): Promise<boolean>;
  /**
   * Puts intact bytes in the place of damaged copies. They stay until the holder's `release`, or for `heldForMs` after its last
   * `renew`. Throws `CheckpointCorrupt` where the bytes are others.
   */
  restore(digest: string, bytes: Uint8Array, holder: string): Promise<void>;
  /** The holder is at work. */
  renew(holder: string): Promise<void>;
  list(): Promise<{ digest: string; bytes: number }[]>;
  /** What has been claimed and not released; lapsed: its holder has not renewed it in time. */
  claims(): Promise<{ digest: string; claimant: string; isLapsed: boolean }[]>;
  /** Releases those of a claimant's claims that have lapsed. */
  releaseLapsed(claimant: string): Promise<void>;
  /** Removes chunks that belong to no file and to no upload under way; returns how many uploads they were of. */
  sweepChunks(): Promise<number>;
}

/** The form of GridFS, so that any driver can read it. */
interface FileDocument {
  _id: ObjectId;
  filename: string;
  length: number;
  chunkSize: number;
  uploadDate: Date;
  /** The remover that wants it gone. */
  condemned?: string;
}
interface ChunkDocument {
  _id: ObjectId;
  files_id: ObjectId;
  n: number;
  data: Binary;
}
interface ClaimDocument {
  _id: string;
  digest: string;
  claimant: string;
  /** Files that this claim's writer is storing or has stored. */
  uploads: ObjectId[];
  /** It lapses then; absent: never. */
  until?: Date;
}

/** How long a holder may stand still; clocks of machines that share a store differ by far less. */
export const heldForMs = 3_600_000;

const chunkSize = 4 << 20;

const missing = (digest: string) =>
  new DomainError(
    'CheckpointMissing',
    `blob ${digest} is not in the store: it was pruned, lost or never committed. A lost one of version N is made again with: npx metaagentx repair RUN@vN`,
    {
      digest,
    },
  );
const corrupt = (digest: string) =>
  new DomainError(
    'CheckpointCorrupt',
    `blob ${digest} is damaged: its bytes have another digest. Find its version with \`npx metaagentx audit RUN\` and derive it again with: npx metaagentx repair RUN@vN`,
    { digest },
  );

/** All bytes in one array. */
function wholeReader(): BlobReader<Uint8Array> {
  const pieces: Uint8Array[] = [];
  return { push: (piece) => void pieces.push(piece), finish: () => Buffer.concat(pieces) };
}
const nothing: BlobReader<null> = { push: () => undefined, finish: () => null };

async function digestOfPieces(pieces: BlobPieces): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces()) hash.update(piece);
  return hash.digest('hex');
}

/** The same bytes in chunks of `chunkSize`, the last one shorter; one empty chunk for no bytes. */
async function* inChunks(pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let chunk = new Uint8Array(chunkSize);
  let filled = 0;
  let isEmpty = true;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const count = Math.min(chunkSize - filled, piece.length - at);
      chunk.set(piece.subarray(at, at + count), filled);
      at += count;
      filled += count;
      if (filled < chunkSize) continue;
      yield chunk;
      isEmpty = false;
      chunk = new Uint8Array(chunkSize);
      filled = 0;
    }
  }
  if (filled > 0 || isEmpty) yield chunk.subarray(0, filled);
}

export function openBlobs(db: Db): Blobs {
  const files = db.collection<FileDocument>('weights.files');
  const chunks = db.collection<ChunkDocument>('weights.chunks');
  const claims = db.collection<ClaimDocument>('claims');
  const copies = (digest: string) => files.find({ filename: digest }).toArray();

  /** Undefined where the copy's bytes have another digest; only then is a reader's own refusal beside the point. */
  async function readCopy<Result>(
    file: FileDocument,
    reader: BlobReader<Result>,
  ): Promise<{ result: Result } | undefined> {
    const hash = createHash('sha256');
    const refusals: unknown[] = [];
    for await (const { data } of chunks.find({ files_id: file._id }).sort({ n: 1 })) {
      const piece = data.buffer.subarray(0, data.length());
      hash.update(piece);
      try {
        if (refusals.length === 0) reader.push(piece);
      } catch (error) {
        refusals.push(error);
      }
    }
    if (hash.digest('hex') !== file.filename) return undefined;
    if (refusals.length > 0) throw refusals[0];
    return { result: reader.finish() };
  }

  async function read<Result>(digest: string, open: (bytes: number) => BlobReader<Result>): Promise<Result> {
    for (const copy of await copies(digest)) {
      const outcome = await readCopy(copy, open(copy.length));
      if (outcome !== undefined) return outcome.result;
    }
    // A copy that was removed while it was read is no damage.
    throw (await copies(digest)).length === 0 ? missing(digest) : corrupt(digest);
  }

  const isStanding = async (digest: string) =>
    (await files.findOne({ filename: digest, condemned: { $exists: false } }, { projection: { _id: 1 } })) !== null;

  const claimOf = (claimant: string, digest: string) => `${claimant} ${digest}`;

  async function claim(claimant: string, digest: string, until?: Date): Promise<void> {
    const fields = { digest, claimant, uploads: [] };
    const claimed = { $setOnInsert: fields, ...(until === undefined ? {} : { $set: { until } }) };
    await claims.updateOne({ _id: claimOf(claimant, digest) }, claimed, { upsert: true });
  }

  /**
   * Every upload has an id of its own, so a second writer of the same content can never damage the first's. The claim
   * names it before its first chunk is stored.
   */
  async function upload(claimant: string, digest: string, pieces: BlobPieces): Promise<ObjectId> {
    const id = new ObjectId();
    await claims.updateOne({ _id: claimOf(claimant, digest) }, { $push: { uploads: id } });
    let [n, length] = [0, 0];
    for await (const chunk of inChunks(pieces())) {
      await chunks.insertOne({ _id: new ObjectId(), files_id: id, n, data: new Binary(chunk) });
      n += 1;
      length += chunk.length;
    }
    crashPoint('blob-half-written');
    await files.insertOne({ _id: id, filename: digest, length, chunkSize, uploadDate: new Date() });
    return id;
  }

  const untilLapse = () => new Date(Date.now() + heldForMs);

  /** A copy whose claim lapsed before its file was there may lack chunks. */
  async function uploadHeld(holder: string, digest: string, bytes: Uint8Array): Promise<void> {
    for (;;) {
      await claim(holder, digest, untilLapse());
      const id = await upload(holder, digest, () => [bytes]);
      if ((await claims.findOne({ _id: claimOf(holder, digest), uploads: id })) !== null) return;
      await removeFile({ _id: id });
    }
  }

  async function removeFile(filter: Partial<FileDocument> & { _id: ObjectId }): Promise<boolean> {
    const { deletedCount } = await files.deleteOne(filter);
    if (deletedCount > 0) await chunks.deleteMany({ files_id: filter._id });
    return deletedCount > 0;
  }

  return {
    has: async (digest) => (await files.findOne({ filename: digest }, { projection: { _id: 1 } })) !== null,
    async put(content, claimant) {
      const pieces = content instanceof Uint8Array ? () => [content] : content;
      const digest = await digestOfPieces(pieces);
      await claim(claimant, digest);
      if (!(await isStanding(digest))) await upload(claimant, digest, pieces);
      return digest;
    },
    async claim(digest, claimant) {
      await claim(claimant, digest);
      if (await isStanding(digest)) return;
      // Its remover may not have seen the claim.
      const bytes = await read(digest, wholeReader);
      await upload(claimant, digest, () => [bytes]);
    },
    release: async (claimant) => void (await claims.deleteMany({ claimant })),
    get: (digest) => read(digest, wholeReader),
    read,
    async remove(digest, isNeeded) {
      const condemned = new ObjectId().toHexString();
      await files.updateMany({ filename: digest }, { $set: { condemned } });
      crashPoint('blob-condemned');
      if ((await claims.findOne({ digest })) !== null || (await isNeeded())) {
        await files.updateMany({ filename: digest, condemned }, { $unset: { condemned: 1 } });
        return false;
      }
      for (const { _id } of await files.find({ filename: digest, condemned }).toArray()) {
        await removeFile({ _id, condemned });
      }
      return true;
    },
    async restore(digest, bytes, holder) {
      if (digestOf(bytes) !== digest) throw corrupt(digest);
      await claim(holder, digest, untilLapse());
      const damaged: ObjectId[] = [];
      let isStored = false;
      for (const copy of await copies(digest)) {
        if ((await readCopy(copy, nothing)) === undefined) damaged.push(copy._id);
        else isStored ||= copy.condemned === undefined;
      }
      if (!isStored) await uploadHeld(holder, digest, bytes);
      for (const _id of damaged) await removeFile({ _id });
    },
    renew: async (holder) => void (await claims.updateMany({ claimant: holder }, { $set: { until: untilLapse() } })),
    async list() {
      const found = await files.find({}).toArray();
      return found.map((file) => ({ digest: file.filename, bytes: file.length }));
    },
    async claims() {
      const now = new Date();
      const found = await claims.find({}, { projection: { _id: 0, digest: 1, claimant: 1, until: 1 } }).toArray();
      return found.map(({ until, ...claim }) => ({
        ...claim,
        // Restorations of earlier programs had no time.
        isLapsed: until === undefined ? claim.claimant.startsWith('restore ') : until < now,
      }));
    },
    async releaseLapsed(claimant) {
      // One that was renewed since has not.
      const lapsed = [{ until: { $lt: new Date() } }, { until: { $exists: false } }];
      await claims.deleteMany({ claimant, $or: lapsed });
    },
    async sweepChunks() {
      // Chunks first: an upload's claim stands before its first chunk, and its file before the claim goes.
      const owners = await chunks.distinct('files_id');
      const uploads = await claims.distinct('uploads');
      const known = new Set([...uploads, ...(await files.distinct('_id'))].map((id) => id.toHexString()));
      const lost = owners.filter((id) => !known.has(id.toHexString()));
      for (const files_id of lost) await chunks.deleteMany({ files_id });
      return lost.length;
    },
  };
}
