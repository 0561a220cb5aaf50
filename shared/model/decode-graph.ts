/**
 * The second half of generation: one token for each row, against caches that the caller holds and the run writes the new
 * keys and values into. Interface and the promise of bit-exact rows: interface.ts.
 */
import { cacheAttend, reshape } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import { finish } from './built.ts';
import type { DecoderConfig } from './config.ts';
import { createDecoder, decoderStates, vocabularyLogits, type Attention } from './decoder.ts';
import type { BuiltGraph, GenerationGraphOptions } from './interface.ts';

export function buildDecodeGraph(config: DecoderConfig, options: GenerationGraphOptions = {}): BuiltGraph {
  const decoder = createDecoder(config, options.lora, options.precision);
  const { graph } = decoder;
  const inputIds = graph.input('input_ids', 'int64', ['B']);
  const lengths = graph.input('lengths', 'int64', ['B']);
  const window = ['B', config.numKvHeads, 'W', config.headDim];
  const past = Array.from({ length: config.numLayers }, (_, layer) => ({
    k: graph.input(`past_k.${layer}`, 'float32', window),
    v: graph.input(`past_v.${layer}`, 'float32', window),
  }));

  const outputs: Record<string, Value> = {};
  const attention: Attention = (heads) => {
    const { k: keys, v: values } = past[heads.layer]!;
    const [attended, nextKeys, nextValues] = cacheAttend(heads, { keys, values, last: lengths });
    outputs[`next_k.${heads.layer}`] = nextKeys!;
    outputs[`next_v.${heads.layer}`] = nextValues!;
    return attended!;
  };
  const positions = reshape(lengths, ['B', 1]);
  const states = decoderStates(decoder, { inputIds, batch: 'B', length: 1, positions }, attention);
  return finish(graph.inputs, { logits: vocabularyLogits(decoder, states), ...outputs }, options);
}
