/**
 * The decoder over whole right-padded sequences [B, T]: causal attention among the tokens of a row. Padding stands
 * after every real token, so no real token sees it and no padding mask is needed.
 */
import { causalAttend, flatten, integers } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import { decoderStates, type Attention, type Decoder } from './decoder.ts';

export interface SequenceStates {
  /** [B * T, hidden], before the final norm. */
  readonly states: Value;
  /** Each layer's keys and values, [B, T, numKvHeads * headDim]. */
  readonly cache: readonly { readonly k: Value; readonly v: Value }[];
}

/** Runs `inputIds` int64 [B, T] through all layers; attention in `blocks` runs of queries, a divisor of T. */
export function sequenceStates(decoder: Decoder, inputIds: Value, blocks: number): SequenceStates {
  const { graph, config } = decoder;
  const [batch, length] = inputIds.shape as [string, string];
  const cache: { k: Value; v: Value }[] = [];
  const attention: Attention = ({ q, k, v }) => {
    cache.push({ k, v });
    return causalAttend(q, k, v, { headDim: config.headDim, blocks });
  };
  const states = decoderStates(
    decoder,
    { inputIds: flatten(inputIds), batch, length, positions: integers(graph, [0]) },
    attention,
  );
  return { states, cache };
}
