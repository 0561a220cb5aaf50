/**
 * The decoder block of Llama 3, Qwen2 and Qwen3 as graph nodes, on a matrix of token states [N, hidden]. How queries
 * meet keys and values is left to an `Attention`, of which there are two: over whole sequences (sequence.ts) and over a
 * cache (decode-graph.ts). Knows no loss.
 */
import { add, constant, gatherRows, gemm, mul, reshape, rmsNorm, rope, silu } from '../graph/build.ts';
import { productOf, type Dim } from '../graph/dims.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { checkDecoderConfig, type DecoderConfig } from './config.ts';
import { parameterShapes } from './parameters.ts';
import { rotaryTables } from './rotary.ts';

/** A decoder under construction: its parameters are inputs of the graph. */
export interface Decoder {
  readonly graph: Graph;
  readonly config: DecoderConfig;
  /** By Hugging Face name. */
  readonly parameters: ReadonlyMap<string, Value>;
  readonly cos: Value;
  readonly sin: Value;
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

export function createDecoder(config: DecoderConfig): Decoder {
  checkDecoderConfig(config);
  const graph = new Graph();
  const parameters = new Map<string, Value>();
  for (const [name, shape] of parameterShapes(config)) parameters.set(name, graph.input(name, 'float32', shape));
  const tables = rotaryTables(config);
  const shape = [config.maxPositions, config.headDim / 2];
  return {
    graph,
    config,
    parameters,
    cos: constant(graph, tables.cos, shape),
    sin: constant(graph, tables.sin, shape),
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
    x = gemm(flat, parameter(decoder, `${prefix}self_attn.o_proj.weight`), { transB: true, c: residual });
    x = feedForward(decoder, x, prefix);
  }
  return x;
}

/** Logits [N, vocab] of states [N, hidden]. */
export function vocabularyLogits(decoder: Decoder, states: Value): Value {
  const head = decoder.config.tieEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  return gemm(norm(decoder, states, 'model.norm'), parameter(decoder, head), { transB: true });
}

function feedForward(decoder: Decoder, x: Value, prefix: string): Value {
  const h = norm(decoder, x, `${prefix}post_attention_layernorm`);
  const project = (name: string) => gemm(h, parameter(decoder, `${prefix}mlp.${name}_proj.weight`), { transB: true });
  const gated = mul(silu(project('gate')), project('up'));
  return gemm(gated, parameter(decoder, `${prefix}mlp.down_proj.weight`), { transB: true, c: x });
}

function projectHeads(decoder: Decoder, h: Value, name: string): Value {
  const c = decoder.config.attentionBias ? parameter(decoder, `${name}_proj.bias`) : undefined;
  return gemm(h, parameter(decoder, `${name}_proj.weight`), { transB: true, c });
}

function norm(decoder: Decoder, x: Value, name: string): Value {
  return rmsNorm(x, parameter(decoder, `${name}.weight`), decoder.config.rmsNormEps);
}

function parameter(decoder: Decoder, name: string): Value {
  const value = decoder.parameters.get(name);
  if (!value) throw new TypeError(`internal: the decoder has no parameter ${name}`);
  return value;
}
