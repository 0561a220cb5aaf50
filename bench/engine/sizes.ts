/** The two models of the engine's benchmarks, and seeded token ids for them. */
import type { DecoderConfig } from '../../shared/model/config.ts';
import { safetensorsPieces } from '../../shared/model/checkpoint/safetensors.ts';
import { initialParameters, parameterShapes } from '../../shared/model/parameters.ts';
import { normals, uniforms } from './draws.ts';

export type SizeName = 'S' | 'M';

const common = {
  architecture: 'qwen3',
  ropeTheta: 10000,
  rmsNormEps: 1e-6,
  tieEmbeddings: true,
  maxPositions: 1024,
  attentionBias: false,
  qkNorm: true,
  numHeads: 8,
  numKvHeads: 4,
} as const;

export const sizes: Readonly<Record<SizeName, DecoderConfig>> = {
  S: { ...common, vocabSize: 512, hiddenSize: 256, intermediateSize: 768, numLayers: 6, headDim: 32 },
  M: { ...common, vocabSize: 8192, hiddenSize: 512, intermediateSize: 1536, numLayers: 12, headDim: 64 },
};

/** Sequences and tokens of each in one training step. */
export const trainingBatches: Readonly<Record<SizeName, { rows: number; length: number }>> = {
  S: { rows: 16, length: 256 },
  M: { rows: 8, length: 256 },
};

/** `rows` lists of `length` token ids. */
export function tokenRows(size: SizeName, rows: number, length: number, seed: number): number[][] {
  const next = uniforms(seed);
  return Array.from({ length: rows }, () => Array.from({ length }, () => Math.floor(next() * sizes[size].vocabSize)));
}

/** Multiplications and additions of one training step of the batch: matrix products forward and twice backward, causal half of attention. */
export function trainingFlops(size: SizeName): number {
  const { numLayers, numHeads, headDim } = sizes[size];
  const { rows, length } = trainingBatches[size];
  const matrices = [...parameterShapes(sizes[size]).values()].filter((shape) => shape.length === 2);
  const weights = matrices.reduce((sum, [out, width]) => sum + out! * width!, 0);
  const attention = 2 * numLayers * numHeads * headDim * ((length * (length + 1)) / 2) * rows;
  return 6 * (weights * rows * length + attention);
}

/** Bytes of all matrices as float32: what decoding one token for a batch must read, the embedding once as the head. */
export function weightBytes(size: SizeName): number {
  const matrices = [...parameterShapes(sizes[size]).values()].filter((shape) => shape.length === 2);
  return 4 * matrices.reduce((sum, [out, width]) => sum + out! * width!, 0);
}

/** A Hugging Face folder's files with random weights. */
export function checkpointFiles(size: SizeName): Record<string, string | Uint8Array> {
  const config = sizes[size];
  const shapes = parameterShapes(config);
  const next = normals(1);
  const weights = initialParameters(config, (_, length) => Float32Array.from({ length }, next), 0.04);
  return {
    'model.safetensors': Buffer.concat([...safetensorsPieces(weights, (name) => shapes.get(name)!)]),
    'config.json': JSON.stringify({
      architectures: ['Qwen3ForCausalLM'],
      model_type: 'qwen3',
      vocab_size: config.vocabSize,
      hidden_size: config.hiddenSize,
      intermediate_size: config.intermediateSize,
      num_hidden_layers: config.numLayers,
      num_attention_heads: config.numHeads,
      num_key_value_heads: config.numKvHeads,
      head_dim: config.headDim,
      hidden_act: 'silu',
      max_position_embeddings: config.maxPositions,
      rms_norm_eps: config.rmsNormEps,
      rope_theta: config.ropeTheta,
      tie_word_embeddings: true,
      attention_bias: false,
      attention_dropout: 0,
      use_sliding_window: false,
    }),
  };
}
