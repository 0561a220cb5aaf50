/** Which tensors and nodes of a training graph are in 16 bits where linears are, as written for a provider with such products. */
import { expect, it } from 'vitest';
import { Emitter } from '../onnx/emitter.ts';
import { emitterOptions, writeValues } from '../onnx/export.ts';
import { elementTypes } from '../onnx/onnx-model.ts';
import type { DecoderConfig } from './config.ts';
import { gradientValues } from './gradient-graph.ts';
import { halfTensors, halfWeights } from './half.ts';
import { initialParameters } from './parameters.ts';

const sizes = { vocabSize: 8, hiddenSize: 4, intermediateSize: 6, numLayers: 2, numHeads: 2, numKvHeads: 1 };
const kind = { headDim: 2, ropeTheta: 1e4, rmsNormEps: 1e-6, maxPositions: 8, attentionBias: true, qkNorm: true };
const configOf = (tieEmbeddings: boolean): DecoderConfig => ({
  architecture: 'qwen3',
  ...sizes,
  ...kind,
  tieEmbeddings,
});
const linears = 7 * sizes.numLayers;
const loss = { type: 'policy', clipLow: 0.2, clipHigh: 0.2, klCoef: 0.1, entropyCoef: 0.1 } as const;

it.each([true, false])('rounds the linears of layers alone (tied head: %s)', (tied) => {
  const config = configOf(tied);
  const names = [...halfWeights(config)];
  expect(names).toHaveLength(linears);
  expect(names.every((name) => /^model\.layers\.\d\.(self_attn|mlp)\.\w+_proj\.weight$/.test(name))).toBe(true);
  const parameters = initialParameters(config, (_, length) => new Float32Array(length).fill(1 + 2 ** -9), 1);
  const tensors = halfTensors(config, parameters, 'bfloat16');
  for (const [name, tensor] of tensors) {
    if (names.includes(name)) expect(tensor).toHaveProperty('format', 'bfloat16');
    else expect(tensor).toBe(parameters.get(name));
  }
  // 1 + 2^-9 is nearest to 1, of which 0x3f80 is the upper half.
  expect(tensors.get('model.layers.0.self_attn.q_proj.weight')).toHaveProperty(
    'words',
    new Uint16Array(4 * 4).fill(0x3f80),
  );
});

it.each(['bfloat16', 'float16'] as const)('%s is in factors and products of linears and nowhere else', (precision) => {
  const { inputs, outputs } = gradientValues(configOf(true), { loss, precision });
  const emitter = new Emitter(inputs, emitterOptions(new Map(), 'cuda'));
  writeValues(emitter, outputs);
  const isHalf = (type: unknown) => type === elementTypes[precision];
  const casts = emitter.nodes.filter(({ type }) => type === 'Cast');
  const halves = new Set(casts.filter(({ attributes }) => isHalf(attributes.to)).flatMap((node) => node.outputs));
  const products = emitter.nodes.filter(
    ({ type, inputs: [a, b] }) => type === 'Gemm' && halves.has(a!) && halves.has(b!),
  );
  // One forward and two back for each linear.
  expect(products).toHaveLength(3 * linears);
  for (const product of products) halves.add(product.outputs[0]!);
  for (const node of emitter.nodes) {
    if (!node.inputs.some((name) => halves.has(name)) || products.includes(node)) continue;
    expect(node).toMatchObject({ type: 'Cast', attributes: { to: elementTypes.float32 } });
  }
  // Every use of a product is of its sum in float32: as many casts as products.
  const widened = casts.filter(({ attributes }) => attributes.to === elementTypes.float32);
  expect(widened.filter(({ inputs: [x] }) => halves.has(x!))).toHaveLength(products.length);
  // Each factor is rounded once, however many products take it: 4 inputs and 7 weights a layer forward, 7 gradients back.
  expect(casts.filter(({ attributes }) => isHalf(attributes.to))).toHaveLength((4 + 7 + 7) * sizes.numLayers);
});
