/**
 * Linears in 8 bits, for sampling only: each output's weights are whole numbers from -127 to 127 times a scale of its own, and
 * activations are rounded row by row when the graph runs (`int8Gemm` of graph/ops.ts; Dettmers et al. 2022, "LLM.int8()",
 * vector-wise). Embeddings, norms, biases and adapters stay in float32. Pure; knows no session.
 */
import type { DecoderConfig } from './config.ts';
import { parameterShapes } from './parameters.ts';

/** What a graph takes in place of `<module>.weight`: `values` int8 [in, out], `scale` [out]. */
export const int8Names = (module: string) => ({ values: `${module}.int8`, scale: `${module}.int8_scale` });

/** The linears with the shapes [out, in] of their weights; a tied head goes by the embedding's name. */
export function int8Linears(config: DecoderConfig): ReadonlyMap<string, readonly [number, number]> {
  const linears = new Map<string, readonly [number, number]>();
  for (const [name, shape] of parameterShapes(config)) {
    const isTable = name === 'model.embed_tokens.weight' && !config.tieEmbeddings;
    if (shape.length === 2 && !isTable) linears.set(name.replace(/\.weight$/, ''), shape as [number, number]);
  }
  return linears;
}

/** All linears of `parameters` in 8 bits, by `int8Names`. */
export function int8Tensors(
  config: DecoderConfig,
  parameters: ReadonlyMap<string, Float32Array>,
): Map<string, Int8Array | Float32Array> {
  const tensors = new Map<string, Int8Array | Float32Array>();
  for (const [module, [out, width]] of int8Linears(config)) {
    const { values, scale } = quantise(parameters.get(`${module}.weight`)!, out, width);
    const names = int8Names(module);
    tensors.set(names.values, values);
    tensors.set(names.scale, scale);
  }
  return tensors;
}

/** Outputs that are written together, so that a column's neighbours are in the cache. */
const blockSize = 16;

/** weight [out, in] as int8 [in, out] times scale [out], rounded to the nearest. */
export function quantise(weight: Float32Array, out: number, width: number): { values: Int8Array; scale: Float32Array } {
  const values = new Int8Array(out * width);
  const scale = new Float32Array(out);
  const inverse = new Float64Array(blockSize);
  for (let first = 0; first < out; first += blockSize) {
    const count = Math.min(blockSize, out - first);
    for (let i = 0; i < count; i++) {
      const largest = largestOf(weight, (first + i) * width, width);
      scale[first + i] = largest / 127;
      inverse[i] = largest === 0 ? 0 : 127 / largest;
    }
    for (let k = 0; k < width; k++) {
      for (let i = 0; i < count; i++) {
        values[k * out + first + i] = Math.round(weight[(first + i) * width + k]! * inverse[i]!);
      }
    }
  }
  return { values, scale };
}

function largestOf(values: Float32Array, from: number, count: number): number {
  let largest = 0;
  for (let i = from; i < from + count; i++) largest = Math.max(largest, Math.abs(values[i]!));
  return largest;
}
