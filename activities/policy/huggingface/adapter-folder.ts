/**
 * A LoRA adapter as a folder in PEFT's layout: `adapter_config.json` and `adapter_model.safetensors`. What does not fit the
 * decoder that the adapter is for is refused by name.
 */
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../../shared/errors.ts';
import { loraOf, peftConfigOf, peftPrefix } from '../../../shared/model/checkpoint/peft-config.ts';
import { narrow } from '../../../shared/model/checkpoint/number-formats.ts';
import type { StoredDType } from '../../../shared/model/checkpoint/number-formats.ts';
import { encodeHeader } from '../../../shared/model/checkpoint/safetensors-header.ts';
import type { DecoderConfig } from '../../../shared/model/config.ts';
import { adapterShapes } from '../../../shared/model/lora.ts';
import type { LoraSpec } from '../../../shared/model/lora.ts';
import type { Tensors } from '../../runtime/engine/contract.ts';
import { readHeader } from './open-folder.ts';
import { floatPieces } from './tensor-pieces.ts';

const configName = 'adapter_config.json';
const weightsName = 'adapter_model.safetensors';

export const isAdapterFolder = (directory: string): Promise<boolean> =>
  access(join(directory, configName)).then(
    () => true,
    () => false,
  );

export interface Adapter {
  lora: LoraSpec;
  /** By the decoder's names. */
  tensors: Tensors;
}

/** Throws `CheckpointMissing`, `CheckpointCorrupt`, `UnsupportedModel`, `ShapeMismatch` or `InvalidConfig`. */
export async function readAdapter(directory: string, decoder: DecoderConfig): Promise<Adapter> {
  const lora = loraOf(decoder, await readConfig(directory));
  const file = join(directory, weightsName);
  const stored = new Map((await readHeader(file, directory)).tensors.map((tensor) => [tensor.name, tensor]));
  const tensors: Tensors = new Map();
  for (const [name, shape] of adapterShapes(decoder, lora)) {
    const tensor = stored.get(peftPrefix + name);
    if (tensor === undefined) {
      throw new DomainError('CheckpointMissing', `${file}: it has no tensor '${peftPrefix}${name}'`, { name });
    }
    if (tensor.shape.join() !== shape.join()) {
      throw new DomainError(
        'ShapeMismatch',
        `${file}: tensor '${tensor.name}' is [${tensor.shape.join(', ')}]; ${configName} and the base make it [${shape.join(', ')}]. The adapter belongs to another base.`,
        { name, shape: [...tensor.shape], expected: [...shape] },
      );
    }
    stored.delete(tensor.name);
    const values = new Uint8Array(4 * shape.reduce((product, size) => product * size, 1));
    let at = 0;
    for await (const piece of floatPieces({ ...tensor, file })) {
      values.set(piece, at);
      at += piece.length;
    }
    tensors.set(name, new Float32Array(values.buffer));
  }
  const [other] = stored.keys();
  if (other === undefined) return { lora, tensors };
  throw new DomainError(
    'UnsupportedModel',
    `${file}: tensor '${other}' is no part of the adapter that ${configName} describes; expected it absent (PEFT: save_embedding_layers=False).`,
    { name: other },
  );
}

async function readConfig(directory: string): Promise<Record<string, unknown>> {
  const path = join(directory, configName);
  const text = await readFile(path, 'utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Falls through to the one message.
  }
  throw new DomainError('UnsupportedModel', `${path} holds no JSON object`, { path });
}

/** Writes both files into an empty folder; returns the bytes of the tensors. `base` is what PEFT loads the adapter on. */
export async function writeAdapter(
  directory: string,
  { lora, tensors }: Adapter,
  decoder: DecoderConfig,
  { dtype, base }: { dtype: StoredDType; base: string },
): Promise<{ files: string[]; bytes: number }> {
  const names = [...adapterShapes(decoder, lora)].sort(([a], [b]) => (a < b ? -1 : 1));
  const entries = names.map(([name, shape]) => ({ name: peftPrefix + name, dtype, shape }));
  const parts = names.map(([name]) => narrow(dtype, tensors.get(name)!));
  await writeFile(join(directory, weightsName), Buffer.concat([encodeHeader(entries, { format: 'pt' }), ...parts]));
  await writeFile(join(directory, configName), `${JSON.stringify(peftConfigOf(lora, base), null, 2)}\n`);
  return { files: [configName, weightsName], bytes: parts.reduce((sum, { length }) => sum + length, 0) };
}
