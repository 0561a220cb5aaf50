/**
 * Hugging Face `config.json` to a decoder's configuration and back, for model types llama, qwen2 and qwen3, as written by
 * transformers 4 and 5. A key that this file does not know, and a value that the graphs cannot compute, is refused by
 * name: an option that is silently ignored would be a different model.
 */
import { DomainError } from '../../errors.ts';
import { checkDecoderConfig, type DecoderArchitecture, type DecoderConfig, type Llama3RopeScaling } from '../config.ts';

type Json = Readonly<Record<string, unknown>>;

/** Keys that say nothing about what the model computes. */
const indifferent = new Set([
  '_name_or_path',
  'architectures',
  'auto_map',
  'bos_token_id',
  'dtype',
  'eos_token_id',
  'initializer_range',
  'max_window_layers',
  'pad_token_id',
  'sliding_window',
  'torch_dtype',
  'transformers_version',
  'use_cache',
]);

/** Keys that are understood at one value only: the one that switches the feature off. */
const fixed: Readonly<Record<string, (value: unknown) => boolean>> = {
  attention_dropout: (value) => value === 0,
  hidden_act: (value) => value === 'silu',
  mlp_bias: (value) => value === false,
  pretraining_tp: (value) => value === 1,
  use_mrope: (value) => value === false,
  use_sliding_window: (value) => value === false,
  layer_types: (value) => Array.isArray(value) && value.every((type) => type === 'full_attention'),
};
const expectedOf: Readonly<Record<string, string>> = {
  attention_dropout: '0',
  hidden_act: '"silu"',
  mlp_bias: 'false',
  pretraining_tp: '1',
  use_mrope: 'false',
  use_sliding_window: 'false',
  layer_types: '"full_attention" for every layer',
};

const read = new Set([
  'attention_bias',
  'head_dim',
  'hidden_size',
  'intermediate_size',
  'max_position_embeddings',
  'model_type',
  'num_attention_heads',
  'num_hidden_layers',
  'num_key_value_heads',
  'rms_norm_eps',
  'rope_parameters',
  'rope_scaling',
  'rope_theta',
  'tie_word_embeddings',
  'vocab_size',
]);

function refuse(key: string, value: unknown, expected: string): never {
  throw new DomainError(
    'UnsupportedModel',
    `config.json: ${key} is ${JSON.stringify(value) ?? 'missing'}; expected ${expected}. Choose a checkpoint without it.`,
    { key, value },
  );
}

/** Throws `UnsupportedModel` naming the first key that cannot be honoured. */
export function decoderOf(config: Json): DecoderConfig {
  const architecture = config.model_type as DecoderArchitecture;
  if (!['llama', 'qwen2', 'qwen3'].includes(architecture)) {
    refuse('model_type', config.model_type, '"llama", "qwen2" or "qwen3"');
  }
  for (const [key, value] of Object.entries(config)) {
    const isRead = read.has(key) && !(key === 'attention_bias' && architecture === 'qwen2');
    const isFixed = fixed[key]?.(value);
    if (isFixed === false) refuse(key, value, expectedOf[key]!);
    if (!isRead && isFixed === undefined && !indifferent.has(key)) refuse(key, value, 'no such key');
  }
  const [numHeads, hiddenSize] = [count(config, 'num_attention_heads'), count(config, 'hidden_size')];
  const biased = flag(config, 'attention_bias', false);
  return checkDecoderConfig({
    architecture,
    vocabSize: count(config, 'vocab_size'),
    hiddenSize,
    intermediateSize: count(config, 'intermediate_size'),
    numLayers: count(config, 'num_hidden_layers'),
    numHeads,
    numKvHeads: isAbsent(config.num_key_value_heads) ? numHeads : count(config, 'num_key_value_heads'),
    headDim: isAbsent(config.head_dim) ? defaultHeadDim(architecture, hiddenSize, numHeads) : count(config, 'head_dim'),
    ...rotary(config),
    rmsNormEps: number(config, 'rms_norm_eps'),
    tieEmbeddings: flag(config, 'tie_word_embeddings', false),
    maxPositions: count(config, 'max_position_embeddings'),
    attentionBias: architecture === 'qwen2' || biased,
    // Qwen2 has biases on q, k and v by nature; `attention_bias` elsewhere puts one on the output as well.
    ...(biased ? { outputBias: true } : {}),
    qkNorm: architecture === 'qwen3',
  });
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

/** Qwen3 heads are 128 wide unless said otherwise; the others divide the hidden state. */
const defaultHeadDim = (architecture: DecoderArchitecture, hiddenSize: number, numHeads: number): number =>
  architecture === 'qwen3' ? 128 : hiddenSize / numHeads;

function count(config: Json, key: string): number {
  const value = config[key];
  return Number.isSafeInteger(value) && (value as number) > 0
    ? (value as number)
    : refuse(key, value, 'a positive integer');
}

function number(config: Json, key: string): number {
  const value = config[key];
  return typeof value === 'number' && value > 0 ? value : refuse(key, value, 'a positive number');
}

function flag(config: Json, key: string, absent: boolean): boolean {
  const value = config[key] ?? absent;
  return typeof value === 'boolean' ? value : refuse(key, value, 'true or false');
}

/** transformers 5 writes `rope_parameters`; 4 writes `rope_theta` beside `rope_scaling`. */
function rotary(config: Json): Pick<DecoderConfig, 'ropeTheta' | 'ropeScaling'> {
  if (!isAbsent(config.rope_parameters) && !isAbsent(config.rope_scaling)) {
    refuse('rope_scaling', config.rope_scaling, 'none beside rope_parameters');
  }
  const key = isAbsent(config.rope_parameters) ? 'rope_scaling' : 'rope_parameters';
  const table = (config[key] ?? {}) as Json;
  const theta = table.rope_theta ?? config.rope_theta ?? 10_000;
  const { rope_theta: _theta, rope_type: newType, type: oldType, ...rest } = table;
  const type = newType ?? oldType ?? 'default';
  const ropeTheta = typeof theta === 'number' && theta > 0 ? theta : refuse('rope_theta', theta, 'a positive number');
  if (type === 'default') {
    const [extra] = Object.keys(rest);
    if (extra !== undefined) refuse(`${key}.${extra}`, rest[extra], 'no such key in a default rotary table');
    return { ropeTheta, ropeScaling: null };
  }
  if (type !== 'llama3') refuse(`${key}.rope_type`, type, '"llama3" or "default"');
  return { ropeTheta, ropeScaling: llama3(rest, key) };
}

function llama3(table: Json, key: string): Llama3RopeScaling {
  const {
    factor,
    low_freq_factor: low,
    high_freq_factor: high,
    original_max_position_embeddings: original,
    ...rest
  } = table;
  const [extra] = Object.keys(rest);
  if (extra !== undefined) refuse(`${key}.${extra}`, rest[extra], 'no such key in a llama3 rotary table');
  const positive = (name: string, value: unknown): number =>
    typeof value === 'number' && value > 0 ? value : refuse(`${key}.${name}`, value, 'a positive number');
  return {
    type: 'llama3',
    factor: positive('factor', factor),
    lowFreqFactor: positive('low_freq_factor', low),
    highFreqFactor: positive('high_freq_factor', high),
    originalMaxPositions: positive('original_max_position_embeddings', original),
  };
}

const classOf: Readonly<Record<DecoderArchitecture, string>> = {
  llama: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
};

/** A `config.json` for a decoder that came from no checkpoint, in the form that transformers 4 and 5 both read. */
export function huggingFaceConfigOf(decoder: DecoderConfig, dtype: string): Json {
  const { architecture, ropeScaling } = decoder;
  const biased = decoder.attentionBias && architecture !== 'qwen2';
  return {
    architectures: [classOf[architecture]],
    ...(architecture === 'qwen2' ? {} : { attention_bias: biased }),
    attention_dropout: 0,
    head_dim: decoder.headDim,
    hidden_act: 'silu',
    hidden_size: decoder.hiddenSize,
    intermediate_size: decoder.intermediateSize,
    max_position_embeddings: decoder.maxPositions,
    model_type: architecture,
    num_attention_heads: decoder.numHeads,
    num_hidden_layers: decoder.numLayers,
    num_key_value_heads: decoder.numKvHeads,
    rms_norm_eps: decoder.rmsNormEps,
    rope_scaling: ropeScaling
      ? {
          rope_type: 'llama3',
          factor: ropeScaling.factor,
          low_freq_factor: ropeScaling.lowFreqFactor,
          high_freq_factor: ropeScaling.highFreqFactor,
          original_max_position_embeddings: ropeScaling.originalMaxPositions,
        }
      : null,
    rope_theta: decoder.ropeTheta,
    tie_word_embeddings: decoder.tieEmbeddings,
    torch_dtype: dtype,
    ...(architecture === 'llama' ? {} : { use_sliding_window: false }),
    vocab_size: decoder.vocabSize,
  };
}
