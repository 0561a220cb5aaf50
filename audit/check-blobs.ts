/**
 * Blobs as they lie in the database: every stored copy of a needed blob is read chunk by chunk and hashed; weights and
 * moments hold finite numbers only. Files without all their chunks and chunks without a file are told.
 */
import { createHash } from 'node:crypto';
import type { ObjectId } from 'mongodb';
import type { Database } from './database.ts';
import type { NeededBlob } from './check-versions.ts';
import type { Findings } from './report.ts';

interface FileDocument {
  _id: ObjectId;
  filename: string;
  length: number;
}
interface ChunkDocument {
  files_id: ObjectId;
  n: number;
  data: { buffer: Uint8Array; length(): number };
}

export async function checkBlobs(db: Database, findings: Findings, needed: readonly NeededBlob[]): Promise<void> {
  const files = db.raw.collection<FileDocument>('weights.files');
  const seen = new Set<string>();
  for (const blob of needed) {
    if (seen.has(blob.digest)) continue;
    seen.add(blob.digest);
    findings.saw('blobs');
    const copies = await files.find({ filename: blob.digest }).toArray();
    if (copies.length === 0) {
      findings.found('blobs', blob.digest, `is missing: it is the ${blob.kind} of ${blob.id}`);
    }
    for (const copy of copies) await checkCopy(db, findings, blob, copy);
  }
}

async function checkCopy(db: Database, findings: Findings, blob: NeededBlob, file: FileDocument): Promise<void> {
  const say = (problem: string) => findings.found('blobs', blob.digest, `${problem} (${blob.kind} of ${blob.id})`);
  const chunks = db.raw.collection<ChunkDocument>('weights.chunks').find({ files_id: file._id }).sort({ n: 1 });
  const hash = createHash('sha256');
  const parts: Uint8Array[] = [];
  for await (const { data } of chunks) {
    const bytes = data.buffer.subarray(0, data.length());
    hash.update(bytes);
    parts.push(bytes);
  }
  const bytes = Buffer.concat(parts);
  if (bytes.length !== file.length) return say(`has ${bytes.length} of ${file.length} bytes`);
  if (hash.digest('hex') !== blob.digest) return say('has bytes of another digest');
  if (blob.kind === 'weights' || blob.kind === 'optimizer') checkNumbers(say, bytes);
}

/** Safetensors: 8 bytes of header length, a JSON header, then the tensors (huggingface/safetensors, "Format"). */
function checkNumbers(say: (problem: string) => void, bytes: Buffer): void {
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, start).toString('utf8')) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  for (const [name, tensor] of Object.entries(header)) {
    if (name === '__metadata__' || tensor.dtype !== 'F32') continue;
    const [from, to] = tensor.data_offsets;
    for (let at = start + from; at < start + to; at += 4) {
      if (!Number.isFinite(bytes.readFloatLE(at))) return say(`tensor ${name} holds ${bytes.readFloatLE(at)}`);
    }
  }
}

/** Leftovers of writes that were cut off; they cost space and nothing else. */
export async function countLeftovers(db: Database, findings: Findings): Promise<void> {
  const files = await db.raw
    .collection<FileDocument>('weights.files')
    .find({}, { projection: { _id: 1 } })
    .toArray();
  const known = new Set(files.map(({ _id }) => _id.toHexString()));
  const owners = await db.raw.collection<ChunkDocument>('weights.chunks').distinct('files_id');
  const lost = owners.filter((id) => !known.has(id.toHexString())).length;
  if (lost > 0) findings.note(`chunks of ${lost} uploads that were cut off: npx metaagentx gc removes them`);
}
