/** Weights in 8 bits against numbers worked out by hand, and which tensors they stand for. */
import { describe, expect, it } from 'vitest';
import type { DecoderConfig } from './config.ts';
import { int8Linears, int8Tensors, quantise } from './int8.ts';
import { initialParameters } from './parameters.ts';

describe('quantise', () => {
  it('rounds each row to 127ths of its largest entry and turns it on its side', () => {
    // Row 0 in units of 2 / 127: 1 is 63.5, which rounds up; -0.016 is -1.016. Row 1 in units of 1.27 / 127 = 0.01.
    const weight = Float32Array.of(-2, 1, -0.016, 0.5, 1.27, -0.004);
    const { values, scale } = quantise(weight, 2, 3);
    expect([...values]).toEqual([-127, 50, 64, 127, -1, 0]);
    expect(scale[0]).toBeCloseTo(2 / 127, 8);
    expect(scale[1]).toBeCloseTo(0.01, 8);
  });

  it('gives rows of zeros, and as many rows as there are', () => {
    const weight = Float32Array.from({ length: 37 * 5 }, (_, i) => (i < 5 ? 0 : Math.sin(i)));
    const { values, scale } = quantise(weight, 37, 5);
    expect(scale[0]).toBe(0);
    for (let row = 0; row < 37; row++) {
      for (let k = 0; k < 5; k++) {
        const back = values[k * 37 + row]! * scale[row]!;
        expect(Math.abs(back - weight[row * 5 + k]!)).toBeLessThanOrEqual(scale[row]! * 0.5001);
      }
    }
  });
});

const sizes = {
  vocabSize: 8,
  hiddenSize: 4,
  intermediateSize: 6,
  numLayers: 1,
  numHeads: 2,
  numKvHeads: 1,
  headDim: 2,
};
const kind = { ropeTheta: 1e4, rmsNormEps: 1e-6, maxPositions: 8, attentionBias: true, qkNorm: false } as const;
const configOf = (tieEmbeddings: boolean): DecoderConfig => ({
  architecture: 'llama',
  ...sizes,
  ...kind,
  tieEmbeddings,
});
const layer = ['q', 'k', 'v', 'o']
  .map((part) => `self_attn.${part}_proj`)
  .concat('mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj');
const layers = layer.map((name) => `model.layers.0.${name}`);

it.each([
  [true, ['model.embed_tokens', ...layers]],
  [false, [...layers, 'lm_head']],
])('stands for every linear and the head (tied: %s)', (tied, modules) => {
  const config = configOf(tied);
  expect([...int8Linears(config).keys()]).toEqual(modules);
  const parameters = initialParameters(config, (_, length) => Float32Array.from({ length }, (__, i) => i - 3));
  const tensors = int8Tensors(config, parameters);
  expect([...tensors.keys()]).toEqual(modules.flatMap((module) => [`${module}.int8`, `${module}.int8_scale`]));
  expect(tensors.get('model.layers.0.mlp.down_proj.int8')).toHaveLength(24);
  expect(tensors.get('model.layers.0.mlp.down_proj.int8_scale')).toHaveLength(4);
});
