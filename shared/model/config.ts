/**
 * What a decoder-only transformer of the Llama family is: its sizes, and the variations between Llama 3, Qwen2 and
 * Qwen3 that the graphs know. Field meanings follow Hugging Face `config.json`; this file does not read that file.
 */
import { DomainError } from '../errors.ts';

export type DecoderArchitecture = 'llama' | 'qwen2' | 'qwen3';

/** Llama 3 frequency scaling (`rope_scaling` with `rope_type: "llama3"`). */
export interface Llama3RopeScaling {
  readonly type: 'llama3';
  readonly factor: number;
  readonly lowFreqFactor: number;
  readonly highFreqFactor: number;
  /** Context length, in tokens, of the unscaled model. */
  readonly originalMaxPositions: number;
}

export interface DecoderConfig {
  readonly architecture: DecoderArchitecture;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  /** Key/value heads; divides `numHeads` (grouped-query attention). */
  readonly numKvHeads: number;
  /** Width of one head; even (rotary pairs). Need not be hiddenSize / numHeads. */
  readonly headDim: number;
  readonly ropeTheta: number;
  readonly ropeScaling?: Llama3RopeScaling | null;
  readonly rmsNormEps: number;
  /** Output head shares the embedding matrix; then there is no `lm_head.weight`. */
  readonly tieEmbeddings: boolean;
  /** Longest sequence in tokens; bounds the rotary tables. */
  readonly maxPositions: number;
  /** Biases on the q, k and v projections (Qwen2, and `attention_bias` of the others). */
  readonly attentionBias: boolean;
  /** Bias on the attention's output projection (`attention_bias` of Llama and Qwen3); none by default. */
  readonly outputBias?: boolean;
  /** RMS norm on each query and key head (Qwen3). */
  readonly qkNorm: boolean;
}

const countFields = [
  'vocabSize',
  'hiddenSize',
  'intermediateSize',
  'numLayers',
  'numHeads',
  'numKvHeads',
  'headDim',
  'maxPositions',
] as const;

/** Returns `config` if a decoder can be built from it; throws `UnsupportedModel` naming the first bad field. */
export function checkDecoderConfig(config: DecoderConfig): DecoderConfig {
  const refuse = (field: string, value: unknown, expected: string): never => {
    throw new DomainError(
      'UnsupportedModel',
      `Decoder config: ${field} is ${JSON.stringify(value)}; expected ${expected}. Correct the model's config.json.`,
      { field, value, expected },
    );
  };
  if (!['llama', 'qwen2', 'qwen3'].includes(config.architecture)) {
    refuse('architecture', config.architecture, 'llama, qwen2 or qwen3');
  }
  for (const field of countFields) {
    if (!Number.isSafeInteger(config[field]) || config[field] < 1) refuse(field, config[field], 'a positive integer');
  }
  if (config.headDim % 2 !== 0) refuse('headDim', config.headDim, 'an even number');
  if (config.numHeads % config.numKvHeads !== 0) {
    refuse('numKvHeads', config.numKvHeads, `a divisor of numHeads (${config.numHeads})`);
  }
  if (!(config.ropeTheta > 0)) refuse('ropeTheta', config.ropeTheta, 'a positive number');
  if (!(config.rmsNormEps > 0)) refuse('rmsNormEps', config.rmsNormEps, 'a positive number');
  const scaling = config.ropeScaling;
  if (scaling) {
    if (scaling.type !== 'llama3') refuse('ropeScaling.type', scaling.type, 'llama3 (or no scaling)');
    if (!(scaling.factor >= 1)) refuse('ropeScaling.factor', scaling.factor, 'a number of at least 1');
    if (!(scaling.highFreqFactor > scaling.lowFreqFactor)) {
      refuse(
        'ropeScaling.highFreqFactor',
        scaling.highFreqFactor,
        `more than lowFreqFactor (${scaling.lowFreqFactor})`,
      );
    }
    if (!(scaling.originalMaxPositions >= 1)) {
      refuse('ropeScaling.originalMaxPositions', scaling.originalMaxPositions, 'a positive integer');
    }
  }
  return config;
}
