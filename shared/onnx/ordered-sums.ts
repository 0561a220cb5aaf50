/**
 * Sums of rows as matrix products, whose order is fixed. ONNX Runtime's CUDA kernels of ReduceSum over rows and of ScatterElements
 * add with atomics, so that their last bits differ from run to run.
 */
import { productOf, type Dim, type Shape } from '../graph/dims.ts';
import type { Emitter } from './emitter.ts';

/** Rows of the table of equal ids are made in so many pieces, for N by N numbers would be held at once. */
const pieces = 8;

/** Whether `axes` are the first of a shape, and others follow. */
export const isOverRows = (axes: readonly number[], shape: Shape): boolean =>
  axes.length > 0 && axes.length < shape.length && axes.every((_, i) => axes.includes(i));

/** The shape as rows that are summed and columns that stay. */
export const matrixShape = (axes: readonly number[], shape: Shape): Shape => [
  productOf(shape.slice(0, axes.length)),
  productOf(shape.slice(axes.length)),
];

/** x [N, d] to [1, d]. */
export function sumOfRows(emitter: Emitter, x: string): string {
  const rows = emitter.emit('Shape', [x], { attributes: { start: 0, end: 1 } });
  const one = emitter.ints([1]);
  const ones = emitter.emit('Expand', [
    emitter.constant('float32', [], [1]),
    emitter.emit('Concat', [one, rows], { attributes: { axis: 0 } }),
  ]);
  return emitter.emit('Gemm', [ones, x]);
}

/**
 * Of rows [N, d] with ids [N]: where an id comes first the sum of all its rows, elsewhere zeros. Added to a table in any
 * order, zeros change nothing.
 */
export function rowsOnce(emitter: Emitter, ids: string, rows: string, count: Dim): string {
  const float = (value: number) => emitter.constant('float32', [], [value]);
  const size = emitter.emit('Squeeze', [emitter.dim(count)]);
  const places = emitter.cast(
    emitter.emit('Range', [emitter.constant('int64', [], [0]), size, emitter.constant('int64', [], [1])]),
    'float32',
  );
  const across = emitter.emit('Unsqueeze', [ids, emitter.ints([0])]);
  const parts = Array.from({ length: pieces }, (_, piece) => {
    const [start, end] = [emitter.share(count, piece, pieces), emitter.share(count, piece + 1, pieces)];
    const cut = (x: string) => {
      const some = emitter.emit('Slice', [x, start, end, emitter.ints([0])]);
      return emitter.emit('Unsqueeze', [some, emitter.ints([1])]);
    };
    const same = emitter.emit('Equal', [cut(ids), across]);
    // Places are whole numbers below 2^24, which float32 holds.
    const first = emitter.emit('ReduceMin', [emitter.emit('Where', [same, places, float(2 ** 24)]), emitter.ints([1])]);
    const isFirst = emitter.cast(emitter.emit('Equal', [first, cut(places)]), 'float32');
    return emitter.emit('Mul', [emitter.emit('MatMul', [emitter.cast(same, 'float32'), rows]), isFirst]);
  });
  return emitter.emit('Concat', parts, { attributes: { axis: 0 } });
}
