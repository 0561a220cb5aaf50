/**
 * The gradient of every op, as a graph of ops. A rule gets the node's inputs `x` and outputs `y`, the cotangents `g`
 * of its outputs (undefined: that output does not matter) and gives the cotangents of its inputs (undefined: none).
 * 'none' marks an op through which nothing flows.
 */
import { DomainError } from '../errors.ts';
import {
  add,
  batchMatmul,
  cast,
  concat,
  div,
  expand,
  full,
  gatherRows,
  gemm,
  halfGemm,
  less,
  mul,
  neg,
  reshape,
  rope,
  scatterRows,
  sigmoid,
  slice,
  split,
  sub,
  sum,
  sumTo,
  targetScatter,
  transpose,
  where,
} from './build.ts';
import type { Value } from './graph.ts';
import type { OpAttributes, OpName } from './ops.ts';

type Gradients = readonly (Value | undefined)[];
interface RuleInput<K extends OpName> {
  readonly x: readonly Value[];
  readonly y: readonly Value[];
  readonly g: Gradients;
  readonly attributes: OpAttributes[K];
}
type Rule<K extends OpName> = (input: RuleInput<K>) => Gradients;
type GradientRules = { readonly [K in OpName]: Rule<K> | 'none' | 'unsupported' };

const last = (x: Value): readonly number[] => [x.shape.length - 1];
const column = (x: Value): Value => reshape(x, [...x.shape, 1]);
const zerosLike = (x: Value): Value => full(x.graph, x.shape, 0);

export const gradientRules: GradientRules = {
  input: 'none',
  constant: 'none',
  full: 'none',
  iota: 'none',
  less: 'none',

  neg: ({ g: [g] }) => [neg(g!)],
  exp: ({ y: [y], g: [g] }) => [mul(g!, y!)],
  log: ({ x: [x], g: [g] }) => [div(g!, x!)],
  sqrt: ({ y: [y], g: [g] }) => [div(mul(g!, 0.5), y!)],
  reciprocal: ({ y: [y], g: [g] }) => [neg(mul(g!, mul(y!, y!)))],
  sigmoid: ({ y: [y], g: [g] }) => [mul(g!, mul(y!, sub(1, y!)))],
  // The bounds themselves pass the gradient, as in PyTorch.
  clip: ({ x: [x], g: [g], attributes: { low, high } }) => {
    const zero = zerosLike(x!);
    return [where(less(x!, low), zero, where(less(high, x!), zero, g!))];
  },
  cast: ({ x: [x], g: [g] }) => [x!.dtype === 'float32' && g ? cast(g, 'float32') : undefined],

  add: ({ x: [a, b], g: [g] }) => [sumTo(g!, a!.shape), sumTo(g!, b!.shape)],
  sub: ({ x: [a, b], g: [g] }) => [sumTo(g!, a!.shape), sumTo(neg(g!), b!.shape)],
  mul: ({ x: [a, b], g: [g] }) => [sumTo(mul(g!, b!), a!.shape), sumTo(mul(g!, a!), b!.shape)],
  div: ({ x: [a, b], y: [y], g: [g] }) => {
    const da = div(g!, b!);
    return [sumTo(da, a!.shape), sumTo(neg(mul(da, y!)), b!.shape)];
  },
  minimum: ({ x: [a, b], g: [g] }) => {
    const second = less(b!, a!);
    const zero = zerosLike(g!);
    return [sumTo(where(second, zero, g!), a!.shape), sumTo(where(second, g!, zero), b!.shape)];
  },
  where: ({ x: [condition, a, b], g: [g] }) => {
    const zero = zerosLike(g!);
    return [undefined, sumTo(where(condition!, g!, zero), a!.shape), sumTo(where(condition!, zero, g!), b!.shape)];
  },

  sum: ({ x: [x], g: [g], attributes: { axes } }) => {
    const kept = x!.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
    return [expand(reshape(g!, kept), x!.shape)];
  },
  reshape: ({ x: [x], g: [g] }) => [reshape(g!, x!.shape)],
  transpose: ({ g: [g], attributes: { perm } }) => [
    transpose(
      g!,
      perm.map((_, axis) => perm.indexOf(axis)),
    ),
  ],
  expand: ({ x: [x], g: [g] }) => [sumTo(g!, x!.shape)],
  slice: ({ x: [x], g: [g], attributes: { axis, start, end } }) => {
    const zeros = (size: number) =>
      full(
        x!.graph,
        x!.shape.map((dim, i) => (i === axis ? size : dim)),
        0,
      );
    const size = x!.shape[axis]!;
    const after = end === null ? 0 : typeof size === 'number' ? size - end : undefined;
    if (after === undefined) return undefinedGradient('slice with an end on a symbolic axis');
    return [concat([...(start > 0 ? [zeros(start)] : []), g!, ...(after > 0 ? [zeros(after)] : [])], axis)];
  },
  concat: ({ x, g: [g], attributes: { axis } }) => {
    if (axis === 0 && x.some((part) => String(part.shape[0]).includes('#'))) return split(g!, x.length);
    let start = 0;
    return x.map((part, i) => {
      const size = part.shape[axis]!;
      if (typeof size === 'string' && i < x.length - 1) return undefinedGradient('concat after a symbolic part')[0];
      const from = start;
      start += Number(size);
      return slice(g!, axis, from, i === x.length - 1 ? null : start);
    });
  },
  after: ({ g: [g] }) => [g],
  split: ({ y, g }) => [
    concat(
      y.map((part, i) => g[i] ?? zerosLike(part)),
      0,
    ),
  ],

  gemm: ({ x: [a, b, c], g: [g], attributes: { transA, transB, alpha } }) => [
    transA ? gemm(b!, g!, { transA: transB, transB: true, alpha }) : gemm(g!, b!, { transB: !transB, alpha }),
    transB ? gemm(g!, a!, { transA: true, transB: transA, alpha }) : gemm(a!, g!, { transA: !transA, alpha }),
    c && sumTo(g!, c.shape),
  ],
  halfGemm: ({ x: [a, b], g: [g], attributes: { transA, transB, alpha, format } }) => [
    transA
      ? halfGemm(b!, g!, format, { transA: transB, transB: true, alpha })
      : halfGemm(g!, b!, format, { transB: !transB, alpha }),
    transB
      ? halfGemm(g!, a!, format, { transA: true, transB: transA, alpha })
      : halfGemm(a!, g!, format, { transA: !transA, alpha }),
  ],
  int8Gemm: 'unsupported',
  batchMatmul: ({ x: [a, b], g: [g], attributes: { transA, transB, alpha } }) => [
    transA
      ? batchMatmul(b!, g!, { transA: transB, transB: true, alpha })
      : batchMatmul(g!, b!, { transB: !transB, alpha }),
    transB
      ? batchMatmul(g!, a!, { transA: true, transB: transA, alpha })
      : batchMatmul(a!, g!, { transA: !transA, alpha }),
  ],

  softmax: ({ y: [p], g: [g] }) => [mul(p!, sub(g!, sum(mul(g!, p!), last(p!), true)))],
  causalAttend: ({ x: [q, k, v], y: [out], g: [g], attributes }) =>
    q!.graph.apply('causalAttendGradient', [q!, k!, v!, out!, g!], attributes),
  causalAttendGradient: 'unsupported',
  cacheAttend: 'unsupported',
  // With s = sigmoid(gate) and o = gate s: o' = o + s (1 - o), and for y = o x: x o' = y + s (x - y).
  swiglu: ({ x: [x, gate], y: [y, opened], g: [dy, dOpened] }) => {
    const s = sigmoid(gate!);
    const slope = (product: Value, factor: Value | number) => add(product, mul(s, sub(factor, product)));
    const ofOpened = dOpened && mul(dOpened, slope(opened!, 1));
    if (!dy) return [undefined, ofOpened];
    const dGate = mul(dy, slope(y!, x!));
    return [mul(dy, opened!), ofOpened ? add(dGate, ofOpened) : dGate];
  },
  // dx = r (w dy) - x r^3 (mean(x w dy) + dr / width); the means of all rows are one matrix product.
  rmsNorm: ({ x: [x, weight], y: [, r], g: [dy, dr] }) => {
    const width = Number(weight!.shape[0]);
    const cube = mul(r!, mul(r!, r!));
    const ofScale = dr && mul(dr, 1 / width);
    if (!dy) return [neg(mul(x!, mul(ofScale!, cube))), undefined];
    const product = mul(dy, x!);
    const mean = gemm(product, reshape(weight!, [width, 1]), { alpha: 1 / width });
    const scaled = mul(mul(dy, weight!), r!);
    const dWeight = reshape(gemm(r!, product, { transA: true }), [width]);
    return [sub(scaled, mul(x!, mul(ofScale ? add(mean, ofScale) : mean, cube))), dWeight];
  },
  // A rotation's transpose turns the other way.
  rope: ({ x: [, positions, cos, sin], g: [g], attributes: { headDim } }) => [
    rope(g!, positions!, cos!, neg(sin!), headDim),
  ],
  gatherRows: ({ x: [table, ids], g: [g] }) => [scatterRows(zerosLike(table!), ids!, g!)],
  // A row of zeros stands for the rows that were not picked.
  pickRows: ({ x: [x, , places], g: [g] }) => [
    gatherRows(concat([g!, full(x!.graph, [1, x!.shape[1]!], 0)], 0), places!),
  ],
  scatterRows: ({ x: [, ids], g: [g] }) => [g, undefined, gatherRows(g!, ids!)],
  // Through probs = softmax(logits) too: all of it is given to the logits.
  targetLogProb: ({ x: [, probs, targets], g: [g] }) => [targetScatter(probs!, targets!, g!)],
  targetScatter: 'unsupported',
  // With S = sum p x: H = logsumexp(x) - S, so dH/dx = p (S - x) and dS/dx = p - dH/dx.
  entropy: ({ x: [logits, probs], y: [, mean], g: [dH, dMean] }) => {
    const slope = (g: Value) => mul(mul(probs!, column(g)), sub(column(mean!), logits!));
    const ofMean = dMean && sub(mul(probs!, column(dMean)), slope(dMean));
    if (!dH) return [ofMean];
    return [ofMean ? add(slope(dH), ofMean) : slope(dH)];
  },
};

function undefinedGradient(what: string): never {
  throw new DomainError('UnsupportedOp', `No gradient rule for ${what}; expected a graph that does not need it.`, {
    what,
  });
}
