import { describe, expect, it } from 'vitest';
import { decoderOf, huggingFaceConfigOf } from './hf-config.ts';

/** Published configurations, with every key that their authors wrote (Hugging Face hub). */
const qwen3 = {
  architectures: ['Qwen3ForCausalLM'],
  attention_bias: false,
  attention_dropout: 0.0,
  bos_token_id: 151643,
  eos_token_id: 151645,
  head_dim: 128,
  hidden_act: 'silu',
  hidden_size: 4096,
  initializer_range: 0.02,
  intermediate_size: 12288,
  max_position_embeddings: 40960,
  max_window_layers: 36,
  model_type: 'qwen3',
  num_attention_heads: 32,
  num_hidden_layers: 36,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-6,
  rope_scaling: null,
  rope_theta: 1000000,
  sliding_window: null,
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
  transformers_version: '4.51.0',
  use_cache: true,
  use_sliding_window: false,
  vocab_size: 151936,
};
const qwen25 = {
  architectures: ['Qwen2ForCausalLM'],
  attention_dropout: 0.0,
  bos_token_id: 151643,
  eos_token_id: 151645,
  hidden_act: 'silu',
  hidden_size: 896,
  initializer_range: 0.02,
  intermediate_size: 4864,
  max_position_embeddings: 32768,
  max_window_layers: 21,
  model_type: 'qwen2',
  num_attention_heads: 14,
  num_hidden_layers: 24,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000.0,
  sliding_window: 32768,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  transformers_version: '4.43.1',
  use_cache: true,
  use_sliding_window: false,
  vocab_size: 151936,
};
const llama32 = {
  architectures: ['LlamaForCausalLM'],
  attention_bias: false,
  attention_dropout: 0.0,
  bos_token_id: 128000,
  eos_token_id: [128001, 128008, 128009],
  head_dim: 64,
  hidden_act: 'silu',
  hidden_size: 2048,
  initializer_range: 0.02,
  intermediate_size: 8192,
  max_position_embeddings: 131072,
  mlp_bias: false,
  model_type: 'llama',
  num_attention_heads: 32,
  num_hidden_layers: 16,
  num_key_value_heads: 8,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_scaling: {
    factor: 32.0,
    high_freq_factor: 4.0,
    low_freq_factor: 1.0,
    original_max_position_embeddings: 8192,
    rope_type: 'llama3',
  },
  rope_theta: 500000.0,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  transformers_version: '4.45.0.dev0',
  use_cache: true,
  vocab_size: 128256,
};

describe('config.json', () => {
  it('of Qwen3-8B', () => {
    expect(decoderOf(qwen3)).toEqual({
      architecture: 'qwen3',
      vocabSize: 151936,
      hiddenSize: 4096,
      intermediateSize: 12288,
      numLayers: 36,
      numHeads: 32,
      numKvHeads: 8,
      headDim: 128,
      ropeTheta: 1e6,
      ropeScaling: null,
      rmsNormEps: 1e-6,
      tieEmbeddings: false,
      maxPositions: 40960,
      attentionBias: false,
      qkNorm: true,
    });
  });

  it('of Qwen2.5-0.5B: biases by nature, heads by division', () => {
    expect(decoderOf(qwen25)).toMatchObject({ headDim: 64, attentionBias: true, qkNorm: false, tieEmbeddings: true });
    expect(decoderOf(qwen25).outputBias).toBeUndefined();
    expect(decoderOf({ ...qwen25, use_mrope: false })).toEqual(decoderOf(qwen25));
  });

  it('of Llama 3.2 1B: scaled frequencies', () => {
    expect(decoderOf(llama32)).toMatchObject({
      ropeTheta: 500000,
      ropeScaling: { type: 'llama3', factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 },
      numKvHeads: 8,
      qkNorm: false,
    });
  });

  it('in the form of transformers 5', () => {
    const { rope_theta: _theta, rope_scaling: scaling, torch_dtype: dtype, ...rest } = llama32;
    const five = { ...rest, dtype, rope_parameters: { ...scaling, rope_theta: 500000 } };
    expect(decoderOf(five)).toEqual(decoderOf(llama32));
    const layers = { layer_types: Array.from({ length: 36 }, () => 'full_attention'), rope_scaling: undefined };
    const plain = {
      ...qwen3,
      ...layers,
      rope_theta: undefined,
      rope_parameters: { rope_theta: 1e6, rope_type: 'default' },
    };
    expect(decoderOf(plain)).toEqual(decoderOf(qwen3));
  });

  it('with biases in attention has one on the output too', () => {
    expect(decoderOf({ ...llama32, attention_bias: true })).toMatchObject({ attentionBias: true, outputBias: true });
  });

  it.each([qwen3, qwen25, llama32, { ...qwen3, attention_bias: true }])('comes back: $model_type', (config) => {
    const decoder = decoderOf(config);
    expect(decoderOf(huggingFaceConfigOf(decoder, 'float32'))).toEqual(decoder);
  });

  it.each([
    ['model_type', { model_type: 'mistral' }, 'model_type is "mistral"; expected "llama", "qwen2" or "qwen3"'],
    ['an unknown key', { quantization_config: { bits: 4 } }, 'quantization_config is {"bits":4}; expected no such key'],
    ['an unknown feature', { logit_scale: 2 }, 'logit_scale is 2'],
    ['dropout', { attention_dropout: 0.1 }, 'attention_dropout is 0.1; expected 0'],
    ['another activation', { hidden_act: 'gelu' }, 'hidden_act is "gelu"; expected "silu"'],
    ['biases elsewhere', { mlp_bias: true }, 'mlp_bias is true; expected false'],
    ['windows', { use_sliding_window: true }, 'use_sliding_window is true'],
    [
      'windows by layer',
      { layer_types: ['full_attention', 'sliding_attention'] },
      'layer_types is ["full_attention","sliding',
    ],
    ['other scaling', { rope_scaling: { rope_type: 'yarn', factor: 4 } }, 'rope_scaling.rope_type is "yarn"'],
    [
      'two rotary tables',
      { rope_parameters: { rope_theta: 1e6 }, rope_scaling: { rope_type: 'llama3', factor: 32 } },
      'rope_scaling is {"rope_type":"llama3","factor":32}; expected none beside rope_parameters',
    ],
    ['rotary positions in three parts', { use_mrope: true }, 'use_mrope is true; expected false'],
    ['scaling in the old form', { rope_scaling: { type: 'linear', factor: 4 } }, 'rope_scaling.rope_type is "linear"'],
    ['part of llama3', { rope_scaling: { rope_type: 'llama3', factor: 8 } }, 'rope_scaling.low_freq_factor is missing'],
    [
      'partial rotation',
      { rope_parameters: { rope_theta: 1, partial_rotary_factor: 0.5 } },
      'rope_parameters.partial_rotary_factor is 0.5',
    ],
    ['a missing size', { hidden_size: undefined }, 'hidden_size is missing; expected a positive integer'],
    ['a size of text', { num_hidden_layers: '36' }, 'num_hidden_layers is "36"'],
    ['heads that do not divide', { num_key_value_heads: 5 }, 'numKvHeads is 5; expected a divisor of numHeads (32)'],
    [
      'biases of qwen2',
      { model_type: 'qwen2', attention_bias: false },
      'attention_bias is false; expected no such key',
    ],
  ])('is refused for %s', (_, change, message) => {
    expect(() => decoderOf({ ...qwen3, ...change })).toThrow(
      expect.objectContaining({ name: 'UnsupportedModel', message: expect.stringContaining(message) }),
    );
  });
});
