/**
 * The decoder over whole right-padded sequences [B, T]: causal attention among the tokens of a row. Padding stands
 * after every real token, so no real token sees it and no padding mask is needed.
 */
import {
  add,
  attend,
  batchMatmul,
  expand,
  flatten,
  integers,
  iota,
  less,
  reshape,
  scalar,
  transpose,
  where,
} from '../graph/build.ts';
import { productOf } from '../graph/dims.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { decoderStates, type Attention, type Decoder } from './decoder.ts';

/** Added to the score of a masked pair: finite, so that no row can become NaN, and far below any score. */
export const maskedScore = -1e30;

export interface SequenceStates {
  /** [B * T, hidden], before the final norm. */
  readonly states: Value;
  /** Each layer's keys and values, [B, numKvHeads, T, headDim]. */
  readonly cache: readonly { readonly k: Value; readonly v: Value }[];
}

/** Runs `inputIds` int64 [B, T] through all layers. */
export function sequenceStates(decoder: Decoder, inputIds: Value): SequenceStates {
  const { graph, config } = decoder;
  const { numHeads, numKvHeads, headDim } = config;
  const [batch, length] = inputIds.shape as [string, string];
  const group = numHeads / numKvHeads;
  const cache: { k: Value; v: Value }[] = [];
  const separate = (x: Value, heads: number) => transpose(reshape(x, [batch, length, heads, headDim]), [0, 2, 1, 3]);
  const mask = causalMask(graph, length, group);
  // The queries of a group of heads share their keys, so they stand below each other as rows of one product.
  const attention: Attention = ({ q, k, v }) => {
    const [keys, values] = [separate(k, numKvHeads), separate(v, numKvHeads)];
    cache.push({ k: keys, v: values });
    const queries = reshape(separate(q, numHeads), [batch, numKvHeads, productOf([group, length]), headDim]);
    const scores = batchMatmul(queries, keys, { transB: true, alpha: 1 / Math.sqrt(headDim) });
    const out = reshape(attend(add(scores, mask), values), [batch, numHeads, length, headDim]);
    return reshape(transpose(out, [0, 2, 1, 3]), [batch, length, numHeads * headDim]);
  };
  const states = decoderStates(
    decoder,
    { inputIds: flatten(inputIds), batch, length, positions: integers(graph, [0]) },
    attention,
  );
  return { states, cache };
}

/** 0 where column <= row (mod T), else `maskedScore`: [group * T, T]. */
function causalMask(graph: Graph, length: string, group: number): Value {
  const position = iota(graph, length);
  const future = less(reshape(position, [length, 1]), reshape(position, [1, length]));
  const mask = where(future, scalar(graph, maskedScore), scalar(graph, 0));
  const repeated = expand(reshape(mask, [1, length, length]), [group, length, length]);
  return reshape(repeated, [productOf([group, length]), length]);
}
