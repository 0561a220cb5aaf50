/**
 * Weights in 16 bits: which tensors are rounded where linears are computed with factors of 16 bits. Embeddings, norms, biases and the
 * head stay in float32: logits in 16 bits would be off by up to 1/512 of their size, and their probabilities with them
 * (as MiniMax 2025, "MiniMax-M1", section 3.2, found between sampling and training). Pure; knows no session.
 */
import type { HalfFormat } from '../graph/ops.ts';
import type { Halves } from '../onnx/onnx-model.ts';
import { narrow } from './checkpoint/number-formats.ts';
import type { DecoderConfig } from './config.ts';
import { parameterShapes } from './parameters.ts';

/** The linear that makes logits; a tied one is the embedding. */
export const headModule = ({ tieEmbeddings }: DecoderConfig): string =>
  tieEmbeddings ? 'model.embed_tokens' : 'lm_head';

/** Names of the weights that are rounded: every linear's but the head's. */
export function halfWeights(config: DecoderConfig): ReadonlySet<string> {
  const kept = new Set(['model.embed_tokens.weight', `${headModule(config)}.weight`]);
  return new Set(
    [...parameterShapes(config)].filter(([name, { length }]) => length === 2 && !kept.has(name)).map(([name]) => name),
  );
}

/** All of `parameters`, `halfWeights` of them in 16 bits. */
export function halfTensors(
  config: DecoderConfig,
  parameters: ReadonlyMap<string, Float32Array>,
  format: HalfFormat,
): Map<string, Float32Array | Halves> {
  const rounded = halfWeights(config);
  return new Map(
    [...parameters].map(([name, tensor]) => [
      name,
      rounded.has(name) ? { format, words: wordsOf(format, tensor) } : tensor,
    ]),
  );
}

function wordsOf(format: HalfFormat, values: Float32Array): Uint16Array {
  const bytes = narrow(format === 'bfloat16' ? 'BF16' : 'F16', values);
  return new Uint16Array(bytes.buffer, bytes.byteOffset, values.length);
}
