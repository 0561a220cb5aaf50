/**
 * The training graph over all micro-batches of a mini-batch: an ONNX Loop whose body is the gradient graph. Interface:
 * `buildMiniBatchGraph` in interface.ts.
 */
import { inputName } from '../graph/graph.ts';
import { exportSumLoop, wholeName, type CutInput } from '../onnx/export-sum-loop.ts';
import type { DecoderConfig } from './config.ts';
import { gradientValues } from './gradient-graph.ts';
import { inPlaceOutput, type BuiltGraph, type MiniBatchGraphOptions, type TensorSpec } from './interface.ts';

/** Entries of a row of `spans`. */
export const spanWidth = 6;
const cells = { from: 2, to: 3, dim: 'C' };
const scored = { from: 4, to: 5, dim: 'S' };

export function buildMiniBatchGraph(config: DecoderConfig, options: MiniBatchGraphOptions): BuiltGraph {
  const { inputs, outputs } = gradientValues(config, { ...options, accumulate: true });
  const { weights = new Map(), kernels } = options;
  const byName = new Map(inputs.map((value) => [inputName(value), value]));
  const isGradient = (name: string) => name.startsWith('grad.');
  const sums = Object.keys(outputs)
    .filter(isGradient)
    .map((output) => ({ value: byName.get(output.replace('grad.', 'accum.'))!, output }));
  const joined = Object.keys(outputs)
    .filter((name) => !isGradient(name))
    .map((output) => ({ output, dim: outputs[output]!.shape.length === 0 ? 'M' : scored.dim }));
  const isCell = (name: string) => name === 'input_ids' || name === 'places';
  const isCut = (name: string) => isCell(name) || byName.get(name)!.shape[0] === 'N';
  const cuts = [...byName].flatMap(([name, value]): CutInput[] =>
    isCut(name) ? [{ value, ...(isCell(name) ? cells : scored) }] : [],
  );
  const parameters = inputs.filter((value) => !isCut(inputName(value)) && !sums.some((sum) => sum.value === value));
  const loop = { inputs: parameters, cuts, sums, joined, body: outputs, constants: weights, kernels };
  const free = parameters.filter((value) => !weights.has(inputName(value)));
  const spec = (name: string, dtype: TensorSpec['dtype'], shape: TensorSpec['shape']) => ({ name, dtype, shape });
  return {
    onnx: exportSumLoop({ ...loop, marker: inPlaceOutput }, spanWidth),
    inputs: [
      ...free.map((value) => spec(inputName(value), 'float32', value.shape)),
      spec('spans', 'int64', ['M', spanWidth]),
      ...cuts.map(({ value, dim }) => spec(wholeName(inputName(value)), value.dtype as TensorSpec['dtype'], [dim])),
    ],
    outputs: [
      ...sums.map(({ value, output }) => spec(output, 'float32', value.shape)),
      ...joined.map(({ output, dim }) => spec(output, 'float32', [dim])),
    ],
  };
}
