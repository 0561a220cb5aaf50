import type { DecoderConfig } from '../../shared/model/config.ts';

/** Two layers of grouped-query attention with q/k-norm and tied embeddings, for tests that sample thousands of tokens. */
export const tinyDecoder = (maxPositions: number): DecoderConfig => ({
  architecture: 'qwen3',
  vocabSize: 96,
  hiddenSize: 64,
  intermediateSize: 160,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  headDim: 16,
  ropeTheta: 10_000,
  rmsNormEps: 1e-6,
  tieEmbeddings: true,
  maxPositions,
  attentionBias: false,
  qkNorm: true,
});
