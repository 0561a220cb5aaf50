/** The first half of generation: prompts to caches and next-token logits. Interface: interface.ts. */
import { gatherRows, reshape, transpose } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import { finish } from './built.ts';
import type { DecoderConfig } from './config.ts';
import { createDecoder, vocabularyLogits } from './decoder.ts';
import type { BuiltGraph, GenerationGraphOptions } from './interface.ts';
import { sequenceStates } from './sequence.ts';

export function buildPrefillGraph(config: DecoderConfig, options: GenerationGraphOptions = {}): BuiltGraph {
  const decoder = createDecoder(config, options.lora, options.precision);
  const { graph } = decoder;
  const inputIds = graph.input('input_ids', 'int64', ['B', 'T']);
  const last = graph.input('last', 'int64', ['L']);
  const { states, cache } = sequenceStates(decoder, inputIds, 1);
  const outputs: Record<string, Value> = { logits: vocabularyLogits(decoder, gatherRows(states, last)) };
  const { numKvHeads, headDim } = config;
  const heads = (x: Value) => transpose(reshape(x, ['B', 'T', numKvHeads, headDim]), [0, 2, 1, 3]);
  cache.forEach(({ k, v }, layer) => Object.assign(outputs, { [`k.${layer}`]: heads(k), [`v.${layer}`]: heads(v) }));
  return finish(graph.inputs, outputs, options);
}
