/**
 * A Hugging Face model folder, opened and checked but not read: configuration, tokenizer texts, and where each tensor
 * lies in which file. Everything that makes a folder unusable is refused here by name. Tensors are read in pieces later.
 */
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decoderOf } from '../../../shared/model/checkpoint/hf-config.ts';
import type { StoredDType } from '../../../shared/model/checkpoint/number-formats.ts';
import { headerLength, lengthBytes, parseHeader } from '../../../shared/model/checkpoint/safetensors-header.ts';
import type { PlacedTensor, SafetensorsHeader } from '../../../shared/model/checkpoint/safetensors-header.ts';
import type { DecoderConfig } from '../../../shared/model/config.ts';
import { DomainError } from '../../../shared/errors.ts';
import { readSideFiles } from './side-files.ts';
import type { SideFiles } from './side-files.ts';
import { chooseTensors } from './choose-tensors.ts';

export interface FileTensor extends PlacedTensor {
  /** Path of the file. */
  readonly file: string;
}

export interface OpenCheckpoint {
  readonly directory: string;
  readonly decoder: DecoderConfig;
  /** One for each parameter of the decoder, in the decoder's order. */
  readonly tensors: ReadonlyMap<string, FileTensor>;
  /** What most tensors are stored as. */
  readonly dtype: StoredDType;
  readonly sideFiles: SideFiles;
}

const single = 'model.safetensors';
const index = 'model.safetensors.index.json';

/** Throws `InvalidInput`, `UnsupportedModel`, `CheckpointMissing`, `CheckpointCorrupt` or `ShapeMismatch`. */
export async function openFolder(directory: string): Promise<OpenCheckpoint> {
  const sideFiles = await readSideFiles(directory);
  const decoder = decoderOf(sideFiles.config);
  const found = await locate(directory);
  const tensors = await chooseTensors(decoder, found);
  const counts = new Map<StoredDType, number>();
  for (const { dtype } of tensors.values()) counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
  const [dtype] = [...counts].sort((a, b) => b[1] - a[1])[0]!;
  return { directory, decoder, tensors, dtype, sideFiles };
}

/** Every tensor of the folder's safetensors files. */
async function locate(directory: string): Promise<Map<string, FileTensor>> {
  const listed = await readIndex(directory);
  const files = listed === null ? [single] : [...new Set(Object.values(listed))].sort();
  const tensors = new Map<string, FileTensor>();
  for (const name of files) {
    const file = join(directory, name);
    const header = await readHeader(file, listed === null ? directory : `${index} of ${directory}`);
    for (const tensor of header.tensors) {
      // An index decides which of several files a tensor is taken from.
      if (listed === null || listed[tensor.name] === name) tensors.set(tensor.name, { ...tensor, file });
    }
  }
  for (const [tensor, name] of Object.entries(listed ?? {})) {
    if (tensors.has(tensor)) continue;
    throw new DomainError(
      'CheckpointCorrupt',
      `${join(directory, name)}: it has no tensor '${tensor}', which ${index} says it has. Download the folder again.`,
      { directory, tensor },
    );
  }
  return tensors;
}

/** File names by tensor; null where the folder has no index. */
async function readIndex(directory: string): Promise<Readonly<Record<string, string>> | null> {
  const path = join(directory, index);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const map = (parsed(text) as { weight_map?: unknown } | null)?.weight_map;
  const names = typeof map === 'object' && map !== null ? Object.values(map) : [];
  // A name with a folder in it could point anywhere.
  if (names.length === 0 || !names.every((name) => typeof name === 'string' && /^[^/\\]+\.safetensors$/.test(name))) {
    throw new DomainError(
      'CheckpointCorrupt',
      `${path}: expected a weight_map from tensors to file names. Download the file again.`,
      { path },
    );
  }
  return map as Record<string, string>;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `wanted` says what asks for the file. Throws `CheckpointMissing`, `CheckpointCorrupt` or `UnsupportedModel`. */
export async function readHeader(file: string, wanted: string): Promise<SafetensorsHeader> {
  const { size } = await stat(file).catch((cause: unknown) => {
    throw new DomainError(
      'CheckpointMissing',
      `${file} is missing: expected by ${wanted}. Download the whole folder; .bin and .gguf files are not read.`,
      { file },
      { cause },
    );
  });
  const handle = await open(file, 'r');
  try {
    const start = new Uint8Array(Math.min(lengthBytes, size));
    await handle.read(start, 0, start.length, 0);
    const json = new Uint8Array(headerLength(start, size, file));
    await handle.read(json, 0, json.length, lengthBytes);
    return parseHeader(json, size, file);
  } finally {
    await handle.close();
  }
}
