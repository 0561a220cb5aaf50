import type { DecoderConfig } from '../../shared/model/config.ts';

/** A decoder for documents whose weights nobody reads. */
export const smallestDecoder: DecoderConfig = {
  architecture: 'qwen3',
  hiddenSize: 8,
  intermediateSize: 8,
  numLayers: 1,
  numHeads: 1,
  numKvHeads: 1,
  headDim: 8,
  ropeTheta: 10_000,
  rmsNormEps: 1e-6,
  tieEmbeddings: true,
  attentionBias: false,
  qkNorm: true,
  maxPositions: 64,
  vocabSize: 16,
};
