/**
 * The micro-batches of a mini-batch as the inputs of one graph run (`buildMiniBatchGraph` of shared/model/interface.ts), and what comes
 * out of it as the outputs of each. Pure.
 */
import { wholeName } from '../../../shared/onnx/export-sum-loop.ts';
import { floatTensor, floatsOf, intTensor, wordTensor } from './session.ts';
import type { Feeds, Tensor } from './session.ts';

const sizeOf = (tensor: Tensor) => tensor.dims.reduce((product, size) => product * size, 1);

/** `parts`: what the micro-batches' own graphs take beside weights and sums. */
export function wholeFeeds(parts: readonly Feeds[]): Feeds {
  let [cell, scored] = [0, 0];
  const spans = parts.flatMap(({ input_ids, targets }) => {
    const first = [cell, scored] as const;
    cell += sizeOf(input_ids!);
    scored += sizeOf(targets!);
    return [...input_ids!.dims, first[0], cell, first[1], scored];
  });
  const whole = Object.keys(parts[0]!).map((name) => [wholeName(name), joined(parts.map((part) => part[name]!))]);
  return {
    ...(Object.fromEntries(whole) as Feeds),
    spans: intTensor(spans, [parts.length, spans.length / parts.length]),
  };
}

/** Outputs [S] and [M] of the whole as those of each part, [N] and []. */
export function partOutputs(parts: readonly Feeds[], outputs: Feeds): Feeds[] {
  let start = 0;
  return parts.map(({ targets }, part) => {
    const from = start;
    start += sizeOf(targets!);
    const own = Object.entries(outputs).flatMap(([name, tensor]) => {
      const values = floatsOf(tensor);
      if (name.startsWith('grad.')) return [];
      const isPerToken = name === 'log_prob' || name === 'entropy';
      const data = isPerToken ? values.subarray(from, start) : values.subarray(part, part + 1);
      return [[name, floatTensor(data, isPerToken ? [data.length] : [])] as const];
    });
    return Object.fromEntries(own);
  });
}

function joined(tensors: readonly Tensor[]): Tensor {
  const length = tensors.reduce((sum, tensor) => sum + sizeOf(tensor), 0);
  const isFloat = tensors[0]!.type === 'float32';
  const data = isFloat ? new Float32Array(length) : new BigInt64Array(length);
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data as never, at);
    at += sizeOf(tensor);
  }
  return data instanceof Float32Array ? floatTensor(data, [length]) : wordTensor(data, [length]);
}
