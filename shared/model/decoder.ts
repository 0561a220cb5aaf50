/**
 * The decoder block of Llama 3, Qwen2 and Qwen3 as graph nodes, on a matrix of token states [N, hidden]. How queries
 * meet keys and values is left to an `Attention`, of which there are two: over whole sequences (sequence.ts) and over a
 * cache (decode-graph.ts). Knows no loss.
 */
import { add, constant, gatherRows, gemm, halfGemm, int8Gemm, reshape, rmsNorm, rope, swiglu } from '../graph/build.ts';
import { productOf, type Dim } from '../graph/dims.ts';
import type { Segment } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import type { HalfFormat } from '../graph/ops.ts';
import { checkDecoderConfig, type DecoderConfig } from './config.ts';
import { headModule } from './half.ts';
import { int8Linears, int8Names } from './int8.ts';
import type { Precision } from './interface.ts';
import { adapterShapes, loraNames, loraScale, type LoraSpec } from './lora.ts';
import { parameterShapes } from './parameters.ts';
import { rotaryTables } from './rotary.ts';

/** A decoder under construction: its parameters are inputs of the graph. */
export interface Decoder {
  readonly graph: Graph;
  readonly config: DecoderConfig;
  /** Adapters on some of the linears; null for none. */
  readonly lora: LoraSpec | null;
  readonly precision: Precision;
  /** By Hugging Face name, adapters by PEFT's. */
  readonly parameters: ReadonlyMap<string, Value>;
  readonly cos: Value;
  readonly sin: Value;
  /** Where each layer begins and ends in its token states, once `decoderStates` has made them. */
  readonly layers: Segment[];
}

/** A layer's projected heads, rotated: q [B, T, numHeads * headDim]; k, v [B, T, numKvHeads * headDim]. */
export interface Heads {
  readonly layer: number;
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
}

/** Gives the attended heads [B, T, numHeads * headDim]. */
export type Attention = (heads: Heads) => Value;

/** Inputs are padded to a multiple of a divisor of it (`widthMultiple`, prefills). */
const widestPadding = 32;

export function createDecoder(
  config: DecoderConfig,
  lora: LoraSpec | null = null,
  precision: Precision = 'float32',
): Decoder {
  checkDecoderConfig(config);
  const graph = new Graph();
  const parameters = new Map<string, Value>();
  const shapes = [...parameterShapes(config), ...(lora === null ? [] : adapterShapes(config, lora))];
  const linears: ReadonlyMap<string, unknown> = precision === 'int8' ? int8Linears(config) : new Map();
  const isShared = (name: string) => name === 'model.embed_tokens.weight';
  for (const [name, shape] of shapes) {
    const module = name.replace(/\.weight$/, '');
    if (!linears.has(module) || isShared(name)) parameters.set(name, graph.input(name, 'float32', shape));
    if (!linears.has(module)) continue;
    const { values, scale } = int8Names(module);
    parameters.set(values, graph.input(values, 'int8', [shape[1]!, shape[0]!]));
    parameters.set(scale, graph.input(scale, 'float32', [shape[0]!]));
  }
  // Padding of the longest sequences lies beyond the last position.
  const rows = Math.ceil(config.maxPositions / widestPadding) * widestPadding;
  const tables = rotaryTables({ ...config, maxPositions: rows });
  const shape = [rows, config.headDim / 2];
  return {
    graph,
    config,
    lora,
    precision,
    parameters,
    cos: constant(graph, tables.cos, shape),
    sin: constant(graph, tables.sin, shape),
    layers: [],
  };
}

/**
 * Token states after the last layer, before the final norm: [B * T, hidden] for `inputIds` [B * T].
 * `positions` as in op `rope`.
 */
export function decoderStates(
  decoder: Decoder,
  { inputIds, batch, length, positions }: { inputIds: Value; batch: Dim; length: Dim; positions: Value },
  attention: Attention,
): Value {
  const { config } = decoder;
  let x = gatherRows(parameter(decoder, 'model.embed_tokens.weight'), inputIds);
  for (let layer = 0; layer < config.numLayers; layer += 1) {
    const from = x;
    const prefix = `model.layers.${layer}.`;
    const h = norm(decoder, x, `${prefix}input_layernorm`);
    const rotated = (part: 'q' | 'k', heads: number) => {
      let y = projectHeads(decoder, h, `${prefix}self_attn.${part}`);
      if (config.qkNorm) {
        const separate = reshape(y, [productOf([y.shape[0]!, heads]), config.headDim]);
        y = norm(decoder, separate, `${prefix}self_attn.${part}_norm`);
      }
      const rows = reshape(y, [batch, length, heads * config.headDim]);
      return rope(rows, positions, decoder.cos, decoder.sin, config.headDim);
    };
    const v = reshape(projectHeads(decoder, h, `${prefix}self_attn.v`), [
      batch,
      length,
      config.numKvHeads * config.headDim,
    ]);
    const mixed = attention({ layer, q: rotated('q', config.numHeads), k: rotated('k', config.numKvHeads), v });
    const flat = reshape(mixed, [productOf([batch, length]), config.numHeads * config.headDim]);
    const residual = config.outputBias ? add(x, parameter(decoder, `${prefix}self_attn.o_proj.bias`)) : x;
    x = linear(decoder, flat, `${prefix}self_attn.o_proj`, residual);
    x = feedForward(decoder, x, prefix);
    decoder.layers.push({ from, to: x });
  }
  return x;
}

/** Logits [N, vocab] of states [N, hidden]. */
export function vocabularyLogits(decoder: Decoder, states: Value): Value {
  return linear(decoder, norm(decoder, states, 'model.norm'), headModule(decoder.config));
}

function feedForward(decoder: Decoder, x: Value, prefix: string): Value {
  const h = norm(decoder, x, `${prefix}post_attention_layernorm`);
  const project = (name: string) => linear(decoder, h, `${prefix}mlp.${name}_proj`);
  const gated = swiglu(project('up'), project('gate'));
  return linear(decoder, gated, `${prefix}mlp.down_proj`, x);
}

function projectHeads(decoder: Decoder, h: Value, name: string): Value {
  const c = decoder.config.attentionBias ? parameter(decoder, `${name}_proj.bias`) : undefined;
  return linear(decoder, h, `${name}_proj`, c);
}

/** h W^T + c, and the adapter's share where the linear has one: [N, in] -> [N, out]. */
function linear(decoder: Decoder, h: Value, module: string, c?: Value): Value {
  const y = product(decoder, h, module, c);
  const { a, b } = loraNames(module);
  if (decoder.lora === null || !decoder.parameters.has(a)) return y;
  const format = halfFormat(decoder, module);
  const low = transposed(h, parameter(decoder, a), { format });
  return transposed(low, parameter(decoder, b), { format, alpha: loraScale(decoder.lora), c: y });
}

function product(decoder: Decoder, h: Value, module: string, c?: Value): Value {
  const { values, scale } = int8Names(module);
  const w = decoder.parameters.get(values);
  if (w === undefined)
    return transposed(h, parameter(decoder, `${module}.weight`), { format: halfFormat(decoder, module), c });
  const y = int8Gemm(h, w, parameter(decoder, scale));
  return c === undefined ? y : add(y, c);
}

/** What a linear's factors are rounded to; the head's logits decide probabilities, so that it stays in float32. */
function halfFormat({ config, precision }: Decoder, module: string): HalfFormat | null {
  return precision === 'float32' || precision === 'int8' || module === headModule(config) ? null : precision;
}

/** alpha * h W^T + c. */
function transposed(
  h: Value,
  w: Value,
  { format, alpha = 1, c }: { format: HalfFormat | null; alpha?: number; c?: Value },
): Value {
  if (format === null) return gemm(h, w, { transB: true, alpha, c });
  const y = halfGemm(h, w, format, { transB: true, alpha });
  return c === undefined ? y : add(c, y);
}

function norm(decoder: Decoder, x: Value, name: string): Value {
  return rmsNorm(x, parameter(decoder, `${name}.weight`), decoder.config.rmsNormEps);
}

function parameter(decoder: Decoder, name: string): Value {
  const value = decoder.parameters.get(name);
  if (!value) throw new TypeError(`internal: the decoder has no parameter ${name}`);
  return value;
}
