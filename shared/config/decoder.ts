/** The recipe's form of a decoder's sizes; `shared/model/config.ts` says what they mean. */
import { z } from 'zod';

const count = z.int().positive();

/** Low-rank adapters; `shared/model/lora.ts` says what they compute. */
export const loraSchema = z.strictObject({
  rank: count,
  alpha: z.number().positive(),
  targets: z
    .array(z.enum(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj', 'lm_head']))
    .min(1)
    .refine((targets) => new Set(targets).size === targets.length, 'a linear is named twice')
    .default(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']),
  /** Scale alpha / sqrt(rank) in place of alpha / rank. */
  rankStabilised: z.boolean().default(false),
});

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
