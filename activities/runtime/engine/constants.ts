/** Weights as constants of graphs: as they are, or rounded once to what linears are computed in. */
import type { DecoderConfig } from '../../../shared/model/config.ts';
import { halfTensors } from '../../../shared/model/half.ts';
import { int8Tensors } from '../../../shared/model/int8.ts';
import type { Precision } from '../../../shared/model/interface.ts';
import type { HalfFormat } from '../../../shared/graph/ops.ts';
import type { Constants } from '../../../shared/onnx/onnx-model.ts';
import type { Tensors } from './contract.ts';

export const isHalf = (precision: Precision): precision is HalfFormat =>
  precision === 'bfloat16' || precision === 'float16';

/** By what they were made of; they go with it. */
const rounded = new WeakMap<Tensors, Map<Precision, Constants>>();

/** What a graph of `precision` has in place of `weights`; with `int8`, its linears alone. */
export function asConstants(config: DecoderConfig, weights: Tensors, precision: Precision): Constants {
  if (precision === 'float32') return weights;
  const known = rounded.get(weights) ?? new Map<Precision, Constants>();
  rounded.set(weights, known);
  const made =
    known.get(precision) ??
    (precision === 'int8' ? int8Tensors(config, weights) : halfTensors(config, weights, precision));
  known.set(precision, made);
  return made;
}
