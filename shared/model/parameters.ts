/**
 * The decoder's parameters: their Hugging Face names and shapes, and a fresh draw of them. Knows no graph and no file
 * format. Initial scale after GPT-2 (Radford et al. 2019, section 2.3): normals of standard deviation 0.02, and the
 * projections that write into the residual stream divided by sqrt(2 * layers).
 */
import { checkDecoderConfig, type DecoderConfig } from './config.ts';

/** Of matrices, where the caller gives no other. */
export const initialStd = 0.02;

/** Every parameter's name and shape, in the order embedding, layers, final norm, head. Matrices are [out, in]. */
export function parameterShapes(config: DecoderConfig): ReadonlyMap<string, readonly number[]> {
  const { vocabSize, hiddenSize, intermediateSize, numLayers, numHeads, numKvHeads, headDim } =
    checkDecoderConfig(config);
  const shapes = new Map<string, readonly number[]>([['model.embed_tokens.weight', [vocabSize, hiddenSize]]]);
  for (let layer = 0; layer < numLayers; layer += 1) {
    const put = (name: string, shape: readonly number[]) => shapes.set(`model.layers.${layer}.${name}`, shape);
    put('input_layernorm.weight', [hiddenSize]);
    for (const [part, heads] of [
      ['q', numHeads],
      ['k', numKvHeads],
      ['v', numKvHeads],
    ] as const) {
      put(`self_attn.${part}_proj.weight`, [heads * headDim, hiddenSize]);
      if (config.attentionBias) put(`self_attn.${part}_proj.bias`, [heads * headDim]);
    }
    if (config.qkNorm) {
      put('self_attn.q_norm.weight', [headDim]);
      put('self_attn.k_norm.weight', [headDim]);
    }
    put('self_attn.o_proj.weight', [hiddenSize, numHeads * headDim]);
    if (config.outputBias) put('self_attn.o_proj.bias', [hiddenSize]);
    put('post_attention_layernorm.weight', [hiddenSize]);
    put('mlp.gate_proj.weight', [intermediateSize, hiddenSize]);
    put('mlp.up_proj.weight', [intermediateSize, hiddenSize]);
    put('mlp.down_proj.weight', [hiddenSize, intermediateSize]);
  }
  shapes.set('model.norm.weight', [hiddenSize]);
  if (!config.tieEmbeddings) shapes.set('lm_head.weight', [vocabSize, hiddenSize]);
  return shapes;
}

/** Number of scalars in all parameters. */
export function parameterCount(config: DecoderConfig): number {
  let count = 0;
  for (const shape of parameterShapes(config).values()) count += shape.reduce((product, size) => product * size, 1);
  return count;
}

/**
 * Fresh float32 parameters. `draw(name, length)` returns `length` independent standard normals for that parameter;
 * norm weights are 1 and biases 0 and draw nothing. `std` is the matrices' deviation; small models learn faster with a
 * larger one.
 */
export function initialParameters(
  config: DecoderConfig,
  draw: (name: string, length: number) => ArrayLike<number>,
  std = initialStd,
): Map<string, Float32Array> {
  const parameters = new Map<string, Float32Array>();
  for (const [name, shape] of parameterShapes(config)) {
    const length = shape.reduce((product, size) => product * size, 1);
    if (name.endsWith('.bias')) parameters.set(name, new Float32Array(length));
    else if (shape.length === 1) parameters.set(name, new Float32Array(length).fill(1));
    else {
      const writesResidual = name.endsWith('o_proj.weight') || name.endsWith('down_proj.weight');
      const scale = writesResidual ? std / Math.sqrt(2 * config.numLayers) : std;
      const drawn = draw(name, length);
      const values = new Float32Array(length);
      // A plain loop: `Float32Array.from` takes minutes for the numbers of a large model.
      for (let i = 0; i < length; i++) values[i] = drawn[i]! * scale;
      parameters.set(name, values);
    }
  }
  return parameters;
}
