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

/** ONNX Runtime 1.30 refuses larger constants, wherever they stand: these tensors stay inputs. */
const largestConstant = 2 ** 31 - 1;

/** By what they were made of; they go with it. */
const rounded = new WeakMap<Tensors, Map<Precision, Constants>>();

/**
 * What a graph of `precision` has in place of `weights`; with `int8`, its linears alone. Tensors of more than `largest` bytes are not
 * among them.
 */
export function asConstants(
  config: DecoderConfig,
  weights: Tensors,
  precision: Precision,
  largest = largestConstant,
): Constants {
  const known = rounded.get(weights) ?? new Map<Precision, Constants>();
  rounded.set(weights, known);
  const made = known.get(precision) ?? fitting(inPrecision(config, weights, precision), largest);
  known.set(precision, made);
  return made;
}

function inPrecision(config: DecoderConfig, weights: Tensors, precision: Precision): Constants {
  if (precision === 'float32') return weights;
  return precision === 'int8' ? int8Tensors(config, weights) : halfTensors(config, weights, precision);
}

const fitting = (constants: Constants, largest: number): Constants =>
  new Map([...constants].filter(([, data]) => ('format' in data ? data.words.byteLength : data.byteLength) <= largest));
