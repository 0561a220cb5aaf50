/** Base weights with an adapter merged in: what a policy with adapters is without them. Takes the memory of the weights. */
import { safetensorsPieces, tensorReader } from '../../shared/model/checkpoint/safetensors.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import { adaptedLinears, loraNames, loraScale, mergeLinear } from '../../shared/model/lora.ts';
import type { LoraSpec } from '../../shared/model/lora.ts';
import { parameterShapes } from '../../shared/model/parameters.ts';
import type { Tensors } from '../runtime/engine/contract.ts';
import type { Store } from '../store/connect.ts';
import type { PolicyPartRecord } from '../store/documents.ts';
import { folderWriter } from './huggingface/write-folder.ts';
import type { WriteSettings, WrittenWeights } from './huggingface/write-folder.ts';

export const readTensors = (store: Store, digest: string): Promise<Tensors> =>
  store.blobs.read(digest, (bytes) => tensorReader(bytes, `blob ${digest}`));

export async function mergedWeights(
  store: Store,
  decoder: DecoderConfig,
  lora: LoraSpec,
  record: PolicyPartRecord,
): Promise<Tensors> {
  const weights = await readTensors(store, record.base!);
  const adapter = await readTensors(store, record.weights);
  for (const module of adaptedLinears(decoder, lora).keys()) {
    const { a, b } = loraNames(module);
    const settings = { rank: lora.rank, scale: loraScale(lora) };
    mergeLinear(weights.get(`${module}.weight`)!, adapter.get(a)!, adapter.get(b)!, settings);
  }
  return weights;
}

/** The safetensors files of a folder. */
export function writeMerged(weights: Tensors, decoder: DecoderConfig, settings: WriteSettings): WrittenWeights {
  const shapes = parameterShapes(decoder);
  const pieces = [...safetensorsPieces(weights, (name) => shapes.get(name)!)];
  const writer = folderWriter(
    pieces.reduce((sum, { length }) => sum + length, 0),
    settings,
  );
  for (const piece of pieces) writer.push(piece);
  return writer.finish();
}
