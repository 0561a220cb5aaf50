/**
 * The second half of generation: one token for each row, against caches that the caller holds. The caches go in
 * without a copy and only the new keys and values come out. The new token's score stands first in its softmax, so that
 * every cache entry keeps its place whatever the window is. Interface and the promise of bit-exact rows: interface.ts.
 */
import { add, batchMatmul, concat, iota, less, mul, reshape, scalar, slice, softmax, where } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import { finish } from './built.ts';
import type { DecoderConfig } from './config.ts';
import { createDecoder, decoderStates, vocabularyLogits, type Attention } from './decoder.ts';
import type { BuiltGraph, GenerationGraphOptions } from './interface.ts';

/** Added to the score of an entry beyond a row's tokens: finite, and far below any score. */
const maskedScore = -1e30;

export function buildDecodeGraph(config: DecoderConfig, options: GenerationGraphOptions = {}): BuiltGraph {
  const decoder = createDecoder(config, options.lora, options.precision);
  const { graph } = decoder;
  const { numHeads, numKvHeads, headDim } = config;
  const inputIds = graph.input('input_ids', 'int64', ['B']);
  const lengths = graph.input('lengths', 'int64', ['B']);
  const past = Array.from({ length: config.numLayers }, (_, layer) => ({
    k: graph.input(`past_k.${layer}`, 'float32', ['B', numKvHeads, 'W', headDim]),
    v: graph.input(`past_v.${layer}`, 'float32', ['B', numKvHeads, 'W', headDim]),
  }));
  const positions = reshape(lengths, ['B', 1]);
  const filled = less(reshape(iota(graph, 'W'), [1, 'W']), positions);
  const mask = reshape(where(filled, scalar(graph, 0), scalar(graph, maskedScore)), ['B', 1, 1, 'W']);

  const outputs: Record<string, Value> = {};
  const attention: Attention = ({ layer, q, k, v }) => {
    const { k: pastK, v: pastV } = past[layer]!;
    outputs[`k.${layer}`] = reshape(k, ['B', numKvHeads, headDim]);
    outputs[`v.${layer}`] = reshape(v, ['B', numKvHeads, headDim]);
    const scale = { transB: true, alpha: 1 / Math.sqrt(headDim) };
    const queries = reshape(q, ['B', numKvHeads, numHeads / numKvHeads, headDim]);
    const newScore = batchMatmul(queries, reshape(k, ['B', numKvHeads, 1, headDim]), scale);
    const scores = concat([newScore, add(batchMatmul(queries, pastK, scale), mask)], 3);
    const probs = softmax(scores);
    const fromPast = batchMatmul(slice(probs, 3, 1), pastV);
    const fromNew = mul(slice(probs, 3, 0, 1), reshape(v, ['B', numKvHeads, 1, headDim]));
    return reshape(add(fromPast, fromNew), ['B', 1, numHeads * headDim]);
  };
  const states = decoderStates(decoder, { inputIds, batch: 'B', length: 1, positions }, attention);
  return finish(graph.inputs, { logits: vocabularyLogits(decoder, states), ...outputs }, options);
}
