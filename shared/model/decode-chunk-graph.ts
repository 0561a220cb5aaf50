/**
 * Several decode steps in one graph: an ONNX Loop whose body is a step and the draw of each row's next token, so that on a
 * device the cache crosses the bus once for all of them. The cache is read from outside the loop; the keys and values of
 * the steps stand in a buffer of their own. Interface: `buildDecodeChunkGraph` in interface.ts.
 */
import { add, batchMatmul, concat, iota, less, reshape, scalar, slice, softmax, where } from '../graph/build.ts';
import { inputName, type Value } from '../graph/graph.ts';
import type { DType } from '../graph/ops.ts';
import { exportLoop, type LoopState } from '../onnx/export-loop.ts';
import type { Constants } from '../onnx/onnx-model.ts';
import type { DecoderConfig } from './config.ts';
import { createDecoder, decoderStates, vocabularyLogits, type Attention } from './decoder.ts';
import { inPlaceOutput, type BuiltGraph, type DecodeChunkOptions } from './interface.ts';

/** Added to the score of an entry that is not there: finite, and far below any score. */
const maskedScore = -1e30;

export function buildDecodeChunkGraph(config: DecoderConfig, options: DecodeChunkOptions): BuiltGraph {
  const { chunk, truncates, weights = new Map() as Constants, kernels } = options;
  const { numLayers, numHeads, numKvHeads, headDim } = config;
  // A row that has ended runs on to the end of its chunk: the rotary tables reach that far.
  const decoder = createDecoder(
    { ...config, maxPositions: config.maxPositions + chunk },
    options.lora,
    options.precision,
  );
  const { graph } = decoder;
  const input = (name: string, dtype: Exclude<DType, 'bool'>, shape: Value['shape']) => graph.input(name, dtype, shape);
  const lengths = input('lengths', 'int64', ['B']);
  const window = ['B', numKvHeads, 'W', headDim];
  const buffer = ['B', numKvHeads, chunk, headDim];
  const layers = Array.from({ length: numLayers }, (_, layer) => layer);
  const past = layers.map((l) => [input(`past_k.${l}`, 'float32', window), input(`past_v.${l}`, 'float32', window)]);
  for (const [name, dtype, shape] of settings(chunk)) input(name, dtype, shape);
  const given = [...graph.inputs];

  const step = input('step', 'int64', []);
  const token = input('token', 'int64', ['B']);
  const recent = layers.map((l) => [
    input(`recent_k.${l}`, 'float32', buffer),
    input(`recent_v.${l}`, 'float32', buffer),
  ]);
  const slots = reshape(iota(graph, chunk), [1, 1, chunk, 1]);
  const isEarlier = less(slots, step);
  const hide = (condition: Value) => where(condition, scalar(graph, 0), scalar(graph, maskedScore));
  const filled = less(reshape(iota(graph, 'W'), [1, 'W']), reshape(lengths, ['B', 1]));
  const pastMask = reshape(hide(filled), ['B', 1, 1, 'W']);
  const later = less(step, reshape(iota(graph, chunk), [1, 1, 1, chunk]));
  const recentMask = where(later, scalar(graph, maskedScore), scalar(graph, 0));

  const next: Record<string, Value> = {};
  const attention: Attention = ({ layer, q, k, v }) => {
    const scale = { transB: true, alpha: 1 / Math.sqrt(headDim) };
    const queries = reshape(q, ['B', numKvHeads, numHeads / numKvHeads, headDim]);
    const [pastK, pastV] = past[layer] as [Value, Value];
    // The slots from this step's on hold its keys; those after it are hidden.
    const [keys, values] = [k, v].map((x, i) =>
      where(isEarlier, recent[layer]![i]!, reshape(x, ['B', numKvHeads, 1, headDim])),
    ) as [Value, Value];
    next[`next_k.${layer}`] = keys;
    next[`next_v.${layer}`] = values;
    const recentScores = add(batchMatmul(queries, keys, scale), recentMask);
    const probs = softmax(concat([recentScores, add(batchMatmul(queries, pastK, scale), pastMask)], 3));
    const fromRecent = batchMatmul(slice(probs, 3, 0, chunk), values);
    const mixed = add(batchMatmul(slice(probs, 3, chunk), pastV), fromRecent);
    return reshape(mixed, ['B', 1, numHeads * headDim]);
  };
  const positions = add(reshape(lengths, ['B', 1]), step);
  const states = decoderStates(decoder, { inputIds: token, batch: 'B', length: 1, positions }, attention);
  const logits = vocabularyLogits(decoder, states);

  const first: LoopState = { name: 'token', dtype: 'int64', shape: ['B'], from: 'input_ids' };
  const buffers = layers.flatMap((l) =>
    ['k', 'v'].map((kind): LoopState => ({
      name: `recent_${kind}.${l}`,
      dtype: 'float32',
      shape: buffer,
      to: `${kind}.${l}`,
    })),
  );
  const onnx = exportLoop({
    inputs: [...given, ['input_ids', 'int64', ['B']] as const],
    body: { logits, ...next },
    states: [first, ...buffers],
    results: layers.flatMap((l) => [`next_k.${l}`, `next_v.${l}`]),
    constants: weights,
    kernels,
    marker: inPlaceOutput,
    chunk,
    vocabSize: config.vocabSize,
    truncates,
  });
  const free = given.filter((value) => !weights.has(inputName(value)));
  const outputs = [
    ...(['tokens', 'log_probs'] as const).map((name) => ({ name, dtype: 'float32' as const, shape: [chunk, 'B'] })),
    ...buffers.map(({ to }) => ({ name: to!, dtype: 'float32' as const, shape: buffer })),
  ];
  const specs = free.map((value) => ({ name: inputName(value), dtype: value.dtype as 'float32', shape: value.shape }));
  return { onnx, inputs: [...specs, { name: 'input_ids', dtype: 'int64', shape: ['B'] }], outputs };
}

/** What rows are drawn with, and when they end. */
function settings(chunk: number): readonly (readonly [string, 'float32' | 'int64', (string | number)[]])[] {
  return [
    ['temperature', 'float32', ['B', 2]],
    ['top_k', 'int64', ['B']],
    ['top_p', 'float32', ['B', 2]],
    ['min_p', 'float32', ['B', 2]],
    ['uniform', 'float32', [chunk, 'B', 2]],
    ['stop_ids', 'int64', ['B', 'S']],
    ['limits', 'int64', ['B']],
  ];
}
