/** What each op's outputs look like, given its inputs; refuses inputs that do not fit. */
import { DomainError } from '../errors.ts';
import { broadcastShapes, pieceOf, productOf, sameShape, showShape, sumOf, type Dim, type Shape } from './dims.ts';
import type { CausalAttention, OpAttributes, OpName, TensorType } from './ops.ts';

type ShapeRule<K extends OpName> = (
  inputs: readonly TensorType[],
  attributes: OpAttributes[K],
) => readonly TensorType[];
type ShapeRules = { readonly [K in OpName]: ShapeRule<K> };

class Refusal extends Error {}

function need(condition: boolean, expected: string): asserts condition {
  if (!condition) throw new Refusal(expected);
}

const float = (shape: Shape): TensorType => ({ dtype: 'float32', shape });
const at = (shape: Shape, axis: number): Dim => shape[axis < 0 ? axis + shape.length : axis]!;

function floats(inputs: readonly TensorType[], count: number): Shape[] {
  need(inputs.length === count, `${count} inputs`);
  need(
    inputs.every((input) => input.dtype === 'float32'),
    'float32 inputs',
  );
  return inputs.map((input) => input.shape);
}

function unary(inputs: readonly TensorType[]): readonly TensorType[] {
  const [x] = floats(inputs, 1);
  return [float(x!)];
}

function broadcast(shapes: readonly Shape[]): Shape {
  const out = shapes.reduce<Shape | undefined>((a, b) => a && broadcastShapes(a, b), []);
  need(out !== undefined, 'shapes that broadcast');
  return out;
}

function binary(inputs: readonly TensorType[]): readonly TensorType[] {
  return [float(broadcast(floats(inputs, 2)))];
}

/** Sums are of integers too. */
function arithmetic([a, b]: readonly TensorType[]): readonly TensorType[] {
  need(a!.dtype === b!.dtype && a!.dtype !== 'bool', 'operands of one dtype, float32 or int64');
  return [{ dtype: a!.dtype, shape: broadcast([a!.shape, b!.shape]) }];
}

/** Rows and columns of op(a) op(b). */
function product(a: Shape, b: Shape, transA: boolean, transB: boolean): [Dim, Dim] {
  const inner = at(a, transA ? -2 : -1);
  need(inner === at(b, transB ? -1 : -2), 'equal inner dimensions');
  return [at(a, transA ? -1 : -2), at(b, transB ? -2 : -1)];
}

function ids(input: TensorType | undefined, shape: Shape): void {
  need(input?.dtype === 'int64' && sameShape(input.shape, shape), `int64 ids of shape ${showShape(shape)}`);
}

/** q, k and v of causal attention. */
function attended(shapes: readonly Shape[], { headDim, blocks }: CausalAttention): readonly Shape[] {
  const [q, k, v] = shapes;
  const [heads, kvHeads] = [q, k].map((shape) => Number(at(shape!, -1)) / headDim);
  need(q!.length === 3 && sameShape(q!.slice(0, 2), k!.slice(0, 2)), 'q and k [B, T, width]');
  need(sameShape(k!, v!), 'k and v of one shape');
  need(Number.isInteger(kvHeads) && Number.isInteger(heads! / kvHeads!), `heads of width ${headDim}, shared evenly`);
  need(typeof q![1] === 'string' || q![1]! % blocks === 0, `a multiple of ${blocks} tokens`);
  return shapes;
}

const shapeRules: ShapeRules = {
  input: (_, { type }) => [type],
  constant: (_, { type, data }) => {
    need(productOf(type.shape) === data.length, `${data.length} entries`);
    return [type];
  },
  full: (_, { shape }) => [float(shape)],
  iota: (_, { size }) => [{ dtype: 'int64', shape: [size] }],

  neg: unary,
  exp: unary,
  log: unary,
  sqrt: unary,
  reciprocal: unary,
  sigmoid: unary,
  clip: unary,
  cast: ([x], { to }) => [{ dtype: to, shape: x!.shape }],

  add: arithmetic,
  sub: arithmetic,
  mul: binary,
  div: binary,
  minimum: binary,
  less: ([a, b]) => {
    need(a!.dtype === b!.dtype, 'operands of one dtype');
    return [{ dtype: 'bool', shape: broadcast([a!.shape, b!.shape]) }];
  },
  where: ([condition, a, b]) => {
    need(condition?.dtype === 'bool', 'a bool condition');
    floats([a!, b!], 2);
    return [float(broadcast([condition.shape, a!.shape, b!.shape]))];
  },

  sum: (inputs, { axes, keepDims }) => {
    const [x] = floats(inputs, 1);
    need(
      axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < x!.length),
      `axes from 0 to ${x!.length - 1}`,
    );
    const kept = keepDims
      ? x!.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
      : x!.filter((_, axis) => !axes.includes(axis));
    return [float(kept)];
  },
  reshape: ([x], { shape }) => {
    need(productOf(x!.shape) === productOf(shape), `a shape of ${productOf(x!.shape)} entries`);
    return [{ dtype: x!.dtype, shape }];
  },
  transpose: ([x], { perm }) => {
    need(perm.length === x!.shape.length && new Set(perm).size === perm.length, 'a permutation of all axes');
    return [{ dtype: x!.dtype, shape: perm.map((axis) => at(x!.shape, axis)) }];
  },
  expand: ([x], { shape }) => {
    const out = broadcastShapes(x!.shape, shape);
    need(out !== undefined && sameShape(out, shape), 'a shape that the input broadcasts to');
    return [{ dtype: x!.dtype, shape }];
  },
  slice: ([x], { axis, start, end }) => {
    const size = x!.shape[axis];
    need(size !== undefined && start >= 0, 'an axis of the input and a start of at least 0');
    const plus = typeof size === 'string' ? /^(.+)\+(\d+)$/.exec(size) : null;
    let out: Dim;
    if (end !== null) out = end - start;
    else if (typeof size === 'number') out = size - start;
    else if (start === 0) out = size;
    else {
      need(plus !== null && Number(plus[2]) >= start, 'a size known up to the start');
      out = Number(plus[2]) === start ? plus[1]! : `${plus[1]}+${Number(plus[2]) - start}`;
    }
    need(
      typeof out === 'string' || (out >= 0 && (typeof size === 'string' || start + out <= size)),
      'a range within the axis',
    );
    return [{ dtype: x!.dtype, shape: x!.shape.map((dim, i) => (i === axis ? out : dim)) }];
  },
  concat: (inputs, { axis }) => {
    const first = inputs[0]!;
    need(axis < first.shape.length, 'an axis of the inputs');
    for (const input of inputs) {
      need(
        input.dtype === first.dtype &&
          input.shape.length === first.shape.length &&
          input.shape.every((dim, i) => i === axis || dim === first.shape[i]),
        'inputs alike but for the axis',
      );
    }
    const size = sumOf(inputs.map((input) => input.shape[axis]!));
    return [{ dtype: first.dtype, shape: first.shape.map((dim, i) => (i === axis ? size : dim)) }];
  },
  split: ([x], { parts }) => {
    need(x!.shape.length > 0 && parts >= 1, 'an axis and at least one part');
    const [size, ...rest] = x!.shape;
    return Array.from({ length: parts }, (_, i) => ({ dtype: x!.dtype, shape: [pieceOf(size!, parts, i), ...rest] }));
  },

  gemm: (inputs, { transA, transB }) => {
    const [a, b, c] = floats(inputs, inputs.length === 3 ? 3 : 2);
    need(a!.length === 2 && b!.length === 2, 'matrices');
    const out = product(a!, b!, transA, transB);
    if (c) {
      const fit = broadcastShapes(c, out);
      need(fit !== undefined && sameShape(fit, out), `an addend that broadcasts to ${showShape(out)}`);
    }
    return [float(out)];
  },
  halfGemm: (inputs, { transA, transB }) => {
    const [a, b] = floats(inputs, 2);
    need(a!.length === 2 && b!.length === 2, 'matrices');
    return [float(product(a!, b!, transA, transB))];
  },
  int8Gemm: ([x, w, scale]) => {
    const [shape, columns] = floats([x!, scale!], 2);
    need(
      shape!.length === 2 && w!.dtype === 'int8' && sameShape(w!.shape, [shape![1]!, w!.shape[1]!]),
      'x [N, K] and int8 w [K, M]',
    );
    need(sameShape(columns!, [w!.shape[1]!]), 'one scale a column of w');
    return [float([shape![0]!, w!.shape[1]!])];
  },
  batchMatmul: (inputs, { transA, transB }) => {
    const [a, b] = floats(inputs, 2);
    need(a!.length >= 3 && sameShape(a!.slice(0, -2), b!.slice(0, -2)), 'equal leading dimensions');
    return [float([...a!.slice(0, -2), ...product(a!, b!, transA, transB)])];
  },

  after: (inputs) => {
    const [x, ...others] = floats(inputs, inputs.length);
    need(x!.length > 0 && others.length > 0 && others.every((y) => y.length > 0), 'tensors that are no scalars');
    return [float(x!)];
  },
  softmax: unary,
  causalAttend: (inputs, attributes) => {
    const [q] = attended(floats(inputs, 3), attributes);
    return [float(q!)];
  },
  causalAttendGradient: (inputs, attributes) => {
    const [q, k, v, out, g] = floats(inputs, 5);
    attended([q!, k!, v!], attributes);
    need(sameShape(out!, q!) && sameShape(g!, q!), 'out and its gradient of the shape of q');
    return [float(q!), float(k!), float(v!)];
  },
  cacheAttend: ([q, k, v, keys, values, last]) => {
    const [shape, entry, sameEntry, cache, same] = floats([q!, k!, v!, keys!, values!], 5);
    need(cache!.length === 4 && sameShape(cache!, same!), 'keys and values [B, kvHeads, W, D]');
    const [batch, kvHeads, , headDim] = cache! as [Dim, number, Dim, number];
    need(
      sameShape(entry!, [batch, 1, kvHeads * headDim]) && sameShape(entry!, sameEntry!),
      'k and v [B, 1, kvHeads * D]',
    );
    need(headDim % 8 === 0, 'heads whose width is a multiple of 8');
    const group = Number(shape![2]) / Number(entry![2]);
    need(sameShape(shape!, [batch, 1, group * kvHeads * headDim]) && Number.isInteger(group), 'q [B, 1, heads * D]');
    ids(last, [batch]);
    return [float(shape!), float(cache!), float(cache!)];
  },
  swiglu: (inputs) => {
    const [x, gate] = floats(inputs, 2);
    need(sameShape(x!, gate!), 'x and gate of one shape');
    return [float(x!), float(x!)];
  },
  rmsNorm: (inputs) => {
    const [x, weight] = floats(inputs, 2);
    need(x!.length === 2 && sameShape(weight!, x!.slice(1)), 'x [N, D] and weight [D]');
    return [float(x!), float([x![0]!, 1])];
  },
  rope: ([x, positions, cos, sin], { headDim }) => {
    floats([x!, cos!, sin!], 3);
    const width = at(x!.shape, -1);
    need(x!.shape.length === 3 && typeof width === 'number' && width % headDim === 0, 'x [B, T, heads * headDim]');
    need(positions!.dtype === 'int64', 'int64 positions');
    need(
      sameShape(positions!.shape, [1]) || sameShape(positions!.shape, x!.shape.slice(0, 2)),
      'positions [B, T] or [1]',
    );
    need(
      cos!.shape.length === 2 && cos!.shape[1] === headDim / 2 && sameShape(cos!.shape, sin!.shape),
      'cos and sin [P, headDim / 2]',
    );
    return [float(x!.shape)];
  },
  gatherRows: ([table, rows]) => {
    const [shape] = floats([table!], 1);
    need(shape!.length === 2 && rows!.shape.length === 1, 'a table [V, D] and ids [N]');
    ids(rows, rows!.shape);
    return [float([rows!.shape[0]!, shape![1]!])];
  },
  pickRows: ([x, rows, places]) => {
    const [shape] = floats([x!], 1);
    need(shape!.length === 2 && rows!.shape.length === 1, 'x [M, D] and rows [N]');
    ids(rows, rows!.shape);
    ids(places, [shape![0]!]);
    return [float([rows!.shape[0]!, shape![1]!])];
  },
  scatterRows: ([base, rows, updates]) => {
    const [shape, update] = floats([base!, updates!], 2);
    need(shape!.length === 2 && update!.length === 2 && shape![1] === update![1], 'base [V, D] and rows [N, D]');
    ids(rows, [update![0]!]);
    return [float(shape!)];
  },
  targetLogProb: ([logits, probs, targets]) => {
    const [shape, same] = floats([logits!, probs!], 2);
    need(shape!.length === 2 && sameShape(shape!, same!), 'logits and probs [N, V]');
    ids(targets, [shape![0]!]);
    return [float([shape![0]!])];
  },
  targetScatter: ([probs, targets, g]) => {
    const [shape, rows] = floats([probs!, g!], 2);
    need(shape!.length === 2 && sameShape(rows!, [shape![0]!]), 'probs [N, V] and g [N]');
    ids(targets, [shape![0]!]);
    return [float(shape!)];
  },
  entropy: (inputs) => {
    const [logits, probs] = floats(inputs, 2);
    need(logits!.length === 2 && sameShape(logits!, probs!), 'logits and probs [N, V]');
    return [float([logits![0]!]), float([logits![0]!])];
  },
};

/** The types of `op`'s outputs; throws `ShapeMismatch` with the op and the shapes seen. */
export function outputTypes<K extends OpName>(
  op: K,
  inputs: readonly TensorType[],
  attributes: OpAttributes[K],
): readonly TensorType[] {
  try {
    return shapeRules[op](inputs, attributes);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const seen = inputs.map((input) => `${input.dtype} ${showShape(input.shape)}`);
    throw new DomainError(
      'ShapeMismatch',
      `${op}: got ${seen.join(', ') || 'no inputs'}; expected ${error.message}. Correct the shapes where the graph is built.`,
      { op, inputs: inputs.map((input) => [...input.shape]), expected: error.message },
      { cause: error },
    );
  }
}
