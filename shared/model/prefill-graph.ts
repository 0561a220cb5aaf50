/** The first half of generation: prompts to caches and next-token logits. Interface: interface.ts. */
import { add, gatherRows, integers, iota, reshape, slice, sub, transpose } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import { finish } from './built.ts';
import type { DecoderConfig } from './config.ts';
import { createDecoder, vocabularyLogits } from './decoder.ts';
import type { BuiltGraph, GenerationGraphOptions } from './interface.ts';
import { sequenceStates } from './sequence.ts';

export function buildPrefillGraph(config: DecoderConfig, options: GenerationGraphOptions = {}): BuiltGraph {
  const decoder = createDecoder(config, options.lora);
  const { graph } = decoder;
  const inputIds = graph.input('input_ids', 'int64', ['B', 'T']);
  const lengths = graph.input('lengths', 'int64', ['B']);
  const { states, cache } = sequenceStates(decoder, inputIds, 1);
  // Row b starts at b * T in the states; its last token stands lengths[b] - 1 further on.
  const starts = reshape(slice(reshape(iota(graph, 'B*T'), ['B', 'T']), 1, 0, 1), ['B']);
  const lastTokens = add(starts, sub(lengths, integers(graph, [1], [1])));
  const outputs: Record<string, Value> = { logits: vocabularyLogits(decoder, gatherRows(states, lastTokens)) };
  const { numKvHeads, headDim } = config;
  const heads = (x: Value) => transpose(reshape(x, ['B', 'T', numKvHeads, headDim]), [0, 2, 1, 3]);
  cache.forEach(({ k, v }, layer) => Object.assign(outputs, { [`k.${layer}`]: heads(k), [`v.${layer}`]: heads(v) }));
  return finish(graph.inputs, outputs, options.weights);
}
