/**
 * Float32 weights as a Hugging Face folder, streamed: tensors go from a blob's bytes into safetensors files without being
 * held. A file gets its name when it is complete.
 */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DomainError } from '../../../shared/errors.ts';
import { narrow, type StoredDType } from '../../../shared/model/checkpoint/number-formats.ts';
import {
  encodeHeader,
  sizeOf,
  type PlacedTensor,
  type StoredTensor,
} from '../../../shared/model/checkpoint/safetensors-header.ts';
import { SafetensorsReader, type TensorSink } from '../../../shared/model/checkpoint/safetensors.ts';

/**
 * Makes `directory` and what is missing above it; throws `InvalidInput` where that cannot be. One folder at a time: Node's
 * recursive `mkdir` never ends where a parent says of a new folder that it is not there, as /proc does.
 */
export async function makeFolder(directory: string): Promise<void> {
  const missing: string[] = [];
  try {
    for (let at = resolve(directory); !(await isThere(at)); at = dirname(at)) missing.unshift(at);
    for (const each of missing) await mkdir(each).catch(unlessThere);
    await readdir(directory);
  } catch (cause) {
    const { message } = cause as Error;
    throw new DomainError('InvalidInput', `'${directory}' cannot be a folder: ${message}`, { directory }, { cause });
  }
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Somebody else made it meanwhile. */
function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

/** Makes `directory`; throws `InvalidInput` if something lies in it. */
export async function claimFolder(directory: string): Promise<void> {
  await makeFolder(directory);
  const [found] = await readdir(directory);
  if (found === undefined) return;
  throw new DomainError(
    'InvalidInput',
    `'${directory}' is not empty: it holds ${found}. Choose a new folder, or empty this one.`,
    { directory },
  );
}

export interface WriteSettings {
  readonly directory: string;
  readonly dtypeOf: (name: string) => StoredDType;
  /** Tensor bytes of one file, at most; a larger tensor has a file of its own. */
  readonly maxShardBytes: number;
}

export interface WrittenWeights {
  readonly files: readonly string[];
  /** Of all tensors. */
  readonly bytes: number;
  /** The file of each tensor. */
  readonly weightMap: Readonly<Record<string, string>>;
}

interface Shard {
  readonly file: string;
  readonly tensors: StoredTensor[];
}

/** What PyTorch's files say, and transformers asks for. */
const metadata = { format: 'pt' };

/** A reader of a blob of float32 tensors that writes the folder's safetensors files as the bytes come. */
export function folderWriter(blobBytes: number, settings: WriteSettings): SafetensorsReader<WrittenWeights> {
  return new SafetensorsReader(blobBytes, 'stored weights', new FolderSink(settings));
}

class FolderSink implements TensorSink<WrittenWeights> {
  private readonly settings: WriteSettings;
  private shards: Shard[] = [];
  private readonly shardOf = new Map<string, Shard>();
  private open: { shard: Shard; descriptor: number } | null = null;
  /** Bytes of a number that the last piece cut. */
  private rest = new Uint8Array(0);

  constructor(settings: WriteSettings) {
    this.settings = settings;
  }

  start(tensors: readonly PlacedTensor[]): void {
    const { dtypeOf, maxShardBytes } = this.settings;
    this.shards = shardsOf(
      tensors.map(({ name, shape }) => ({ name, shape, dtype: dtypeOf(name) })),
      maxShardBytes,
    );
    for (const shard of this.shards) for (const { name } of shard.tensors) this.shardOf.set(name, shard);
  }

  take({ name }: PlacedTensor, _at: number, piece: Uint8Array): void {
    const descriptor = this.descriptorOf(this.shardOf.get(name)!);
    const bytes = new Uint8Array(this.rest.length + piece.length);
    bytes.set(this.rest);
    bytes.set(piece, this.rest.length);
    const whole = bytes.length - (bytes.length % 4);
    this.rest = bytes.slice(whole);
    writeAll(descriptor, narrow(this.settings.dtypeOf(name), new Float32Array(bytes.buffer, 0, whole / 4)));
  }

  finish(): WrittenWeights {
    this.close();
    const files = this.shards.map(({ file }) => file);
    const bytes = this.shards.flatMap(({ tensors }) => tensors).reduce((sum, tensor) => sum + sizeOf(tensor), 0);
    const weightMap = Object.fromEntries([...this.shardOf].map(([name, { file }]) => [name, file]));
    return { files, bytes, weightMap };
  }

  private descriptorOf(shard: Shard): number {
    if (this.open?.shard !== shard) {
      this.close();
      this.open = { shard, descriptor: openSync(join(this.settings.directory, `${shard.file}.part`), 'w') };
      writeAll(this.open.descriptor, encodeHeader(shard.tensors, metadata));
    }
    return this.open.descriptor;
  }

  private close(): void {
    if (this.open === null) return;
    const { shard, descriptor } = this.open;
    fsyncSync(descriptor);
    closeSync(descriptor);
    const path = join(this.settings.directory, shard.file);
    renameSync(`${path}.part`, path);
    this.open = null;
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
}

/** Tensors in order, as many to a file as fit. */
function shardsOf(tensors: readonly StoredTensor[], maxBytes: number): Shard[] {
  const groups: StoredTensor[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    const size = sizeOf(tensor);
    if (groups.length === 0 || size > room) {
      groups.push([]);
      room = maxBytes;
    }
    groups.at(-1)!.push(tensor);
    room -= size;
  }
  const number = (value: number) => String(value).padStart(5, '0');
  return groups.map((group, i) => ({
    file: groups.length === 1 ? 'model.safetensors' : `model-${number(i + 1)}-of-${number(groups.length)}.safetensors`,
    tensors: group,
  }));
}

/** The index that tells which of several files a tensor lies in; undefined for one file. */
export function indexOf({ files, bytes, weightMap }: WrittenWeights): string | undefined {
  if (files.length === 1) return undefined;
  return `${JSON.stringify({ metadata: { total_size: bytes }, weight_map: weightMap }, null, 2)}\n`;
}
