/** The ops as functions of values: what graph-building code reads like. Shapes and meanings stand in ops.ts. */
import { productOf, sameShape, type Dim, type Shape } from './dims.ts';
import type { Graph, Value } from './graph.ts';
import type { CausalAttention, DType, HalfFormat, None, OpAttributes, OpName } from './ops.ts';

const none: None = {};

function one<K extends OpName>(op: K, inputs: readonly Value[], attributes: OpAttributes[K]): Value {
  return inputs[0]!.graph.apply(op, inputs, attributes)[0]!;
}

export const constant = (graph: Graph, data: Float32Array, shape: Shape): Value =>
  graph.apply('constant', [], { type: { dtype: 'float32', shape }, data })[0]!;
export const integers = (graph: Graph, data: readonly number[], shape: Shape = [data.length]): Value =>
  graph.apply('constant', [], { type: { dtype: 'int64', shape }, data })[0]!;
export const full = (graph: Graph, shape: Shape, value: number): Value => graph.apply('full', [], { shape, value })[0]!;
export const scalar = (graph: Graph, value: number): Value =>
  graph.apply('constant', [], { type: { dtype: 'float32', shape: [] }, data: [value] })[0]!;
export const iota = (graph: Graph, size: Dim): Value => graph.apply('iota', [], { size })[0]!;

export const neg = (x: Value): Value => one('neg', [x], none);
export const exp = (x: Value): Value => one('exp', [x], none);
export const log = (x: Value): Value => one('log', [x], none);
export const sqrt = (x: Value): Value => one('sqrt', [x], none);
export const reciprocal = (x: Value): Value => one('reciprocal', [x], none);
export const sigmoid = (x: Value): Value => one('sigmoid', [x], none);
export const clip = (x: Value, low: number, high: number): Value => one('clip', [x], { low, high });
export const cast = (x: Value, to: DType): Value => (x.dtype === to ? x : one('cast', [x], { to }));

/** An operand may be a number. */
type Operand = Value | number;

function pair(a: Operand, b: Operand): [Value, Value] {
  if (typeof a === 'number') return typeof b === 'number' ? fail() : [scalar(b.graph, a), b];
  return [a, typeof b === 'number' ? scalar(a.graph, b) : b];
}

function fail(): never {
  throw new TypeError('internal: an operation on two numbers needs no graph');
}

export const add = (a: Operand, b: Operand): Value => one('add', pair(a, b), none);
export const sub = (a: Operand, b: Operand): Value => one('sub', pair(a, b), none);
export const mul = (a: Operand, b: Operand): Value => one('mul', pair(a, b), none);
export const div = (a: Operand, b: Operand): Value => one('div', pair(a, b), none);
export const minimum = (a: Operand, b: Operand): Value => one('minimum', pair(a, b), none);
export const less = (a: Operand, b: Operand): Value => one('less', pair(a, b), none);
export const where = (condition: Value, a: Value, b: Value): Value => one('where', [condition, a, b], none);

/** Sum over `axes` (all by default). */
export function sum(x: Value, axes: readonly number[] = x.shape.map((_, axis) => axis), keepDims = false): Value {
  return axes.length === 0 ? x : one('sum', [x], { axes, keepDims });
}

export const reshape = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : one('reshape', [x], { shape });
export const transpose = (x: Value, perm: readonly number[]): Value =>
  perm.every((axis, i) => axis === i) ? x : one('transpose', [x], { perm });
export const expand = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : one('expand', [x], { shape });
export const slice = (x: Value, axis: number, start: number, end: number | null = null): Value =>
  one('slice', [x], { axis, start, end });
export const concat = (values: readonly Value[], axis: number): Value =>
  values.length === 1 ? values[0]! : one('concat', values, { axis });
export const after = (x: Value, ys: readonly Value[]): Value => one('after', [x, ...ys], none);
export const split = (x: Value, parts: number): readonly Value[] =>
  parts === 1 ? [x] : x.graph.apply('split', [x], { parts });

interface ProductOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
}

export function gemm(a: Value, b: Value, options: ProductOptions & { readonly c?: Value } = {}): Value {
  const { transA = false, transB = false, alpha = 1, c } = options;
  return one('gemm', c ? [a, b, c] : [a, b], { transA, transB, alpha });
}

export function halfGemm(a: Value, b: Value, format: HalfFormat, options: ProductOptions = {}): Value {
  const { transA = false, transB = false, alpha = 1 } = options;
  return one('halfGemm', [a, b], { transA, transB, alpha, format });
}

export const int8Gemm = (x: Value, w: Value, scale: Value): Value => one('int8Gemm', [x, w, scale], none);

export function batchMatmul(a: Value, b: Value, options: ProductOptions = {}): Value {
  const { transA = false, transB = false, alpha = 1 } = options;
  return one('batchMatmul', [a, b], { transA, transB, alpha });
}

export const softmax = (x: Value): Value => one('softmax', [x], none);
export const causalAttend = (q: Value, k: Value, v: Value, attributes: CausalAttention): Value =>
  one('causalAttend', [q, k, v], attributes);
/** Attended heads, and both caches with the new entries. */
export const cacheAttend = (
  { q, k, v }: Readonly<Record<'q' | 'k' | 'v', Value>>,
  { keys, values, last }: Readonly<Record<'keys' | 'values' | 'last', Value>>,
): readonly Value[] => q.graph.apply('cacheAttend', [q, k, v, keys, values, last], none);
export const swiglu = (x: Value, gate: Value): Value => one('swiglu', [x, gate], none);
export const rmsNorm = (x: Value, weight: Value, eps: number): Value => one('rmsNorm', [x, weight], { eps });
export const rope = (x: Value, positions: Value, cos: Value, sin: Value, headDim: number): Value =>
  one('rope', [x, positions, cos, sin], { headDim });
export const gatherRows = (table: Value, ids: Value): Value => one('gatherRows', [table, ids], none);
export const pickRows = (x: Value, rows: Value, places: Value): Value => one('pickRows', [x, rows, places], none);
export const scatterRows = (base: Value, ids: Value, rows: Value): Value => one('scatterRows', [base, ids, rows], none);
export const targetLogProb = (logits: Value, probs: Value, targets: Value): Value =>
  one('targetLogProb', [logits, probs, targets], none);
export const targetScatter = (probs: Value, targets: Value, g: Value): Value =>
  one('targetScatter', [probs, targets, g], none);
export const entropy = (logits: Value, probs: Value): Value => one('entropy', [logits, probs], none);

/** [a, b, ..., n] as the matrix [a * b * ..., n]. */
export const toMatrix = (x: Value): Value => reshape(x, [productOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
/** All axes as one. */
export const flatten = (x: Value): Value => reshape(x, [productOf(x.shape)]);
/** The inverse of broadcasting: sums `x` down to `shape`. */
export function sumTo(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.shape.length - shape.length;
  const axes = x.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < lead || (shape[axis - lead] === 1 && x.shape[axis] !== 1));
  return reshape(sum(x, axes, true), shape);
}
