/** From graph values to a `BuiltGraph`: ONNX bytes with the interface beside them. */
import { inputName, type Value } from '../graph/graph.ts';
import { exportOnnx } from '../onnx/export.ts';
import {
  inPlaceOutput,
  type BuiltGraph,
  type KernelOptions,
  type TensorSpec,
  type WeightOptions,
} from './interface.ts';

export function finish(
  inputs: readonly Value[],
  outputs: Readonly<Record<string, Value>>,
  { weights = new Map(), kernels }: WeightOptions & KernelOptions = {},
): BuiltGraph {
  return {
    onnx: exportOnnx(inputs, outputs, weights, { marker: inPlaceOutput, kernels }),
    inputs: inputs.filter((value) => !weights.has(inputName(value))).map((value) => spec(inputName(value), value)),
    outputs: Object.entries(outputs).map(([name, value]) => spec(name, value)),
  };
}

function spec(name: string, { dtype, shape }: Value): TensorSpec {
  if (dtype === 'bool') throw new TypeError(`internal: ${name} is bool, which no graph gives or takes`);
  return { name, dtype, shape };
}
