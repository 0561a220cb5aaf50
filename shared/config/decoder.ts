/** The recipe's form of a decoder's sizes; `shared/model/config.ts` says what they mean. */
import { z } from 'zod';

const count = z.int().positive();

export const decoderSchema = z.strictObject({
  architecture: z.enum(['qwen3', 'qwen2', 'llama']).default('qwen3'),
  hiddenSize: count,
  intermediateSize: count,
  numLayers: count,
  numHeads: count,
  numKvHeads: count,
  headDim: count,
  ropeTheta: z.number().positive().default(10_000),
  rmsNormEps: z.number().positive().default(1e-6),
  tieEmbeddings: z.boolean().default(true),
  maxPositions: count,
});
