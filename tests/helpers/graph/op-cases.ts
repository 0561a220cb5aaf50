/** Random cases of every op, total over the op union: a new op makes the compiler ask for its cases here. */
import fc from 'fast-check';
import { concat, iota, less, reshape, scalar, softmax, where } from '../../../shared/graph/build.ts';
import { productOf } from '../../../shared/graph/dims.ts';
import type { DType, OpName } from '../../../shared/graph/ops.ts';
import { sizeOf } from '../../../shared/graph/reference-tensor.ts';
import { permutation } from '../../../shared/random.ts';
import {
  apply,
  axes,
  axis,
  broadcast,
  dimOf,
  draws,
  known,
  shapeOf,
  sizesOf,
  type Axis,
  type Draws,
  type OpCase,
} from './op-case.ts';

/** Cases whose dimensions are at most `max`. */
type Cases = (max: number) => fc.Arbitrary<OpCase>;

const none = {};
const leaf =
  (make: (drawn: Axis[], numbers: Draws) => OpCase): Cases =>
  (max) =>
    fc.tuple(axes(max, { min: 0, max: 3 }), draws).map(([drawn, numbers]) => make(drawn, numbers));

const unary = (op: OpName, input: 'floats' | 'positive' = 'floats'): Cases =>
  leaf((drawn, numbers) => ({ inputs: [numbers[input](drawn)], apply: apply(op, none) }));

/** The second operand lies between grid points: no two entries tie. Divisors are positive. */
const binary =
  (op: OpName, second: 'floats' | 'positive' = 'floats'): Cases =>
  (max) =>
    fc.tuple(broadcast(max, 2), draws).map(([[a, b], numbers]) => ({
      inputs: [numbers.floats(a!), second === 'floats' ? numbers.floats(b!, { offset: 1 / 32 }) : numbers.positive(b!)],
      apply: apply(op, none),
    }));

/** Integers too. */
const arithmetic =
  (op: OpName): Cases =>
  (max) =>
    fc.oneof(
      binary(op)(max),
      fc.tuple(broadcast(max, 2), draws).map(([[a, b], numbers]) => ({
        inputs: [numbers.ids(a!, 9), numbers.ids(b!, 9)],
        apply: apply(op, none),
      })),
    );

const dtypes: readonly DType[] = ['float32', 'int64', 'bool'];
const inputOf = (numbers: Draws, dtype: DType, drawn: Axis[]) =>
  dtype === 'float32' ? numbers.floats(drawn) : dtype === 'int64' ? numbers.ids(drawn, 5) : numbers.truths(drawn);

/** One dimension for a product of dimensions. */
const merged = (parts: readonly Axis[]): Axis => {
  const dim = productOf(shapeOf(parts));
  return { size: sizeOf(sizesOf(parts)), name: typeof dim === 'string' ? dim : null };
};

const product =
  (op: 'gemm' | 'halfGemm' | 'batchMatmul'): Cases =>
  (max) =>
    fc
      .record({
        lead: op === 'batchMatmul' ? axes(Math.min(max, 4), { min: 1, max: 2 }) : fc.constant<Axis[]>([]),
        format: fc.constantFrom('bfloat16', 'float16'),
        rows: axis('M', max),
        inner: axis('K', max),
        columns: axis('N', max),
        transA: fc.boolean(),
        transB: fc.boolean(),
        alpha: fc.constantFrom(1, 0.5, -2),
        addend: op === 'gemm' ? fc.constantFrom('none', 'whole', 'row', 'column', 'scalar') : fc.constant('none'),
        numbers: draws,
      })
      .map(({ lead, rows, inner, columns, transA, transB, alpha, addend, format, numbers }) => {
        const c = { whole: [rows, columns], row: [columns], column: [rows, known(1)], scalar: [], none: null }[addend];
        return {
          inputs: [
            numbers.floats([...lead, ...(transA ? [inner, rows] : [rows, inner])]),
            numbers.floats([...lead, ...(transB ? [columns, inner] : [inner, columns])]),
            ...(c ? [numbers.floats(c)] : []),
          ],
          apply: apply(op, {
            transA,
            transB,
            alpha,
            ...(op === 'halfGemm' ? { format } : {}),
          }),
        };
      });

/** Scores of positions over a vocabulary, and targets in it. */
const vocabulary = (max: number) =>
  fc.record({ rows: axis('N', max), words: fc.integer({ min: 2, max: max + 1 }), numbers: draws });

interface AttendedAxes {
  q: Axis[];
  kv: Axis[];
}
const attended = ({ q, kv }: AttendedAxes, numbers: Draws) => [
  numbers.floats(q),
  numbers.floats(kv),
  numbers.floats(kv),
];

/** Attention of few narrow heads, in one block or several. */
const attention = (
  max: number,
  inputs: (sizes: AttendedAxes, numbers: Draws) => OpCase['inputs'],
  op: 'causalAttend' | 'causalAttendGradient',
): fc.Arbitrary<OpCase> =>
  fc
    .record({
      batch: axis('B', Math.min(max, 3)),
      block: fc.integer({ min: 1, max: Math.max(1, Math.floor(max / 4)) }),
      blocks: fc.constantFrom(1, 2, 4, 10),
      named: fc.boolean(),
      kvHeads: fc.integer({ min: 1, max: 2 }),
      group: fc.integer({ min: 1, max: 3 }),
      headDim: fc.integer({ min: 1, max: 4 }),
      numbers: draws,
    })
    .map(({ batch, block, blocks, named, kvHeads, group, headDim, numbers }) => {
      const length = { size: block * blocks, name: named ? 'T' : null };
      const kv = [batch, length, known(kvHeads * headDim)];
      const q = [batch, length, known(kvHeads * group * headDim)];
      return { inputs: inputs({ q, kv }, numbers), apply: apply(op, { headDim, blocks }) };
    });

export const opCases: { readonly [K in OpName]: Cases } = {
  input: leaf((drawn, numbers) => ({ inputs: [numbers.floats(drawn)], apply: (_, [x]) => [x!] })),
  constant: (max) =>
    fc.tuple(axes(max, { min: 0, max: 3 }), draws, fc.constantFrom(...dtypes)).map(([drawn, numbers, dtype]) => {
      const { data } = inputOf(numbers, dtype, drawn);
      const type = { dtype, shape: sizesOf(drawn) };
      return { inputs: [], apply: apply('constant', { type, data }) };
    }),
  full: leaf((drawn, numbers) => ({
    inputs: [numbers.floats(drawn)],
    apply: apply('full', { shape: shapeOf(drawn), value: 0.75 }),
  })),
  iota: (max) =>
    fc.tuple(axis('N', max), axis('M', max), draws).map(([n, m, numbers]) => ({
      inputs: [numbers.floats([n, m])],
      apply: apply('iota', { size: merged([n, m]).name ?? merged([n, m]).size }),
    })),

  neg: unary('neg'),
  exp: unary('exp'),
  log: unary('log', 'positive'),
  sqrt: unary('sqrt', 'positive'),
  reciprocal: unary('reciprocal', 'positive'),
  sigmoid: unary('sigmoid'),
  // Bounds between grid points.
  clip: leaf((drawn, numbers) => ({
    inputs: [numbers.floats(drawn)],
    apply: apply('clip', { low: -0.53125, high: 0.96875 }),
  })),
  cast: (max) =>
    fc
      .tuple(axes(max, { min: 0, max: 3 }), draws, fc.constantFrom(...dtypes), fc.constantFrom(...dtypes))
      .map(([drawn, numbers, from, to]) => ({
        inputs: [inputOf(numbers, from, drawn)],
        apply: apply('cast', { to }),
      })),

  add: arithmetic('add'),
  sub: arithmetic('sub'),
  mul: binary('mul'),
  div: binary('div', 'positive'),
  minimum: binary('minimum'),
  less: (max) =>
    fc.oneof(
      binary('less')(max),
      fc.tuple(broadcast(max, 2), draws).map(([[a, b], numbers]) => ({
        inputs: [numbers.ids(a!, 3), numbers.ids(b!, 3)],
        apply: apply('less', none),
      })),
    ),
  where: (max) =>
    fc.tuple(broadcast(max, 3), draws).map(([[condition, a, b], numbers]) => ({
      inputs: [numbers.truths(condition!), numbers.floats(a!), numbers.floats(b!)],
      apply: apply('where', none),
    })),

  sum: (max) =>
    axes(max, { min: 1, max: 4 }).chain((drawn) =>
      fc
        .tuple(fc.subarray([...drawn.keys()], { minLength: 1 }), fc.boolean(), draws)
        .map(([chosen, keepDims, numbers]) => ({
          inputs: [numbers.floats(drawn)],
          apply: apply('sum', { axes: chosen, keepDims }),
        })),
    ),
  // Neighbouring axes become one, or one becomes several.
  reshape: (max) =>
    axes(max, { min: 1, max: 4 }).chain((drawn) =>
      fc
        .tuple(fc.nat(drawn.length - 1), fc.nat(drawn.length), fc.boolean(), fc.boolean(), draws)
        .map(([from, count, apart, padded, numbers]) => {
          const group = drawn.slice(from, from + count);
          const joined = [...drawn.slice(0, from), merged(group), ...drawn.slice(from + count)];
          const shaped = padded ? [known(1), ...joined] : joined;
          const [before, after] = apart ? [shaped, drawn] : [drawn, shaped];
          // A product of names is no input's dimension, so the parts are joined by the graph itself.
          return {
            inputs: [numbers.floats(drawn)],
            apply: (graph, [x]) => {
              const start = graph.apply('reshape', [x!], { shape: shapeOf(before) });
              return graph.apply('reshape', start, { shape: shapeOf(after) });
            },
          };
        }),
    ),
  transpose: (max) =>
    axes(max, { min: 1, max: 4 }).chain((drawn) =>
      fc
        .tuple(fc.shuffledSubarray([...drawn.keys()], { minLength: drawn.length }), draws)
        .map(([perm, numbers]) => ({ inputs: [numbers.floats(drawn)], apply: apply('transpose', { perm }) })),
    ),
  expand: (max) =>
    axes(max, { min: 0, max: 3 }).chain((whole) =>
      fc.tuple(fc.nat(whole.length), fc.tuple(...whole.map(() => fc.boolean())), draws).map(([from, kept, numbers]) => {
        const narrow = whole.map((dim, i) => (kept[i] ? dim : known(1))).slice(from);
        // The second input only tells the run how large the named dimensions are.
        return {
          inputs: [numbers.floats(narrow), numbers.floats(whole)],
          apply: (graph, [x]) => graph.apply('expand', [x!], { shape: shapeOf(whole) }),
          fixed: [1],
        };
      }),
    ),
  slice: (max) =>
    fc
      .record({
        before: axis('A', max),
        after: axis('C', max),
        size: fc.integer({ min: 2, max: max + 1 }),
        from: fc.nat(max),
        to: fc.nat(max),
        open: fc.boolean(),
        rest: axis('W', max),
        numbers: draws,
      })
      .map(({ before, after, size, from, to, open, rest, numbers }) => {
        const start = from % size;
        const part = (middle: Axis) => numbers.floats([before, middle, after]);
        if (open)
          // An axis that is known up to where its named part begins.
          return {
            inputs: [part(known(size)), part(rest)],
            apply: (graph, parts) =>
              graph.apply('slice', [concat(parts, 1)], { axis: 1, start: Math.min(start + 1, size), end: null }),
          };
        const end = start + 1 + (to % (size - start));
        return { inputs: [part(known(size))], apply: apply('slice', { axis: 1, start, end }) };
      }),
  concat: (max) =>
    fc
      .tuple(axes(max, { min: 1, max: 3 }), fc.nat(2), fc.array(fc.integer({ min: 1, max }), { maxLength: 2 }), draws)
      .map(([drawn, place, sizes, numbers]) => {
        const at = place % drawn.length;
        // Only the last part may be of unknown size.
        const widths = [...sizes.map(known), drawn[at]!];
        return {
          inputs: widths.map((width) => numbers.floats(drawn.map((dim, i) => (i === at ? width : dim)))),
          apply: apply('concat', { axis: at }),
        };
      }),
  split: (max) =>
    fc
      .tuple(axis('N', 3 * max), axes(max, { min: 0, max: 2 }), fc.integer({ min: 1, max: 4 }), draws)
      .map(([first, rest, parts, numbers]) => ({
        inputs: [numbers.floats([first, ...rest])],
        apply: apply('split', { parts }),
      })),

  gemm: product('gemm'),
  halfGemm: product('halfGemm'),
  int8Gemm: (max) =>
    fc
      .tuple(axis('N', max), axis('K', 4 * max), axis('M', max), fc.boolean(), draws)
      .map(([n, k, m, zero, numbers]) => {
        const x = numbers.floats([n, k]);
        // A row of zeros has no largest entry to be measured by.
        if (zero) (x.data as Float32Array).fill(0, 0, k.size);
        return { inputs: [x, numbers.bytes([k, m]), numbers.positive([m])], apply: apply('int8Gemm', none) };
      }),
  batchMatmul: product('batchMatmul'),

  softmax: (max) =>
    fc.tuple(axes(max, { min: 1, max: 4 }), draws).map(([drawn, numbers]) => ({
      inputs: [numbers.floats(drawn)],
      apply: apply('softmax', none),
    })),
  causalAttend: (max) => attention(max, attended, 'causalAttend'),
  causalAttendGradient: (max) =>
    attention(
      max,
      (sizes, numbers) => [...attended(sizes, numbers), numbers.floats(sizes.q), numbers.floats(sizes.q)],
      'causalAttendGradient',
    ),
  cacheAttend: (max) =>
    fc
      .record({
        batch: axis('B', Math.min(max, 4)),
        kvHeads: fc.integer({ min: 1, max: 2 }),
        group: fc.integer({ min: 1, max: 3 }),
        window: axis('W', 2 * max),
        headDim: fc.constantFrom(8, 16),
        numbers: draws,
      })
      .map(({ batch, kvHeads, group, window, headDim, numbers }) => {
        const cache = [batch, known(kvHeads), window, known(headDim)];
        const entry = [batch, known(1), known(kvHeads * headDim)];
        return {
          inputs: [
            numbers.floats([batch, known(1), known(kvHeads * group * headDim)]),
            ...[entry, entry, cache, cache].map((drawn) => numbers.floats(drawn)),
            numbers.ids([batch], window.size),
          ],
          // Entries beyond a row's last mean nothing.
          apply: (graph, values) => {
            const [attended, ...caches] = graph.apply('cacheAttend', values, none);
            const [places, lasts] = [iota(graph, dimOf(window)), reshape(values[5]!, [dimOf(batch), 1, 1, 1])];
            const isBeyond = less(lasts, reshape(places, [1, 1, dimOf(window), 1]));
            return [attended!, ...caches.map((cache) => where(isBeyond, scalar(graph, 0), cache))];
          },
        };
      }),
  swiglu: leaf((drawn, numbers) => ({
    inputs: [numbers.floats(drawn), numbers.floats(drawn)],
    apply: apply('swiglu', none),
  })),
  rmsNorm: (max) =>
    fc.tuple(axis('N', max), fc.integer({ min: 1, max }), draws).map(([rows, width, numbers]) => ({
      inputs: [numbers.floats([rows, known(width)]), numbers.positive([known(width)])],
      apply: apply('rmsNorm', { eps: 1e-3 }),
    })),
  rope: (max) =>
    fc
      .record({
        batch: axis('B', max),
        length: axis('T', max),
        heads: fc.integer({ min: 1, max: 3 }),
        pairs: fc.integer({ min: 1, max: 4 }),
        own: fc.boolean(),
        numbers: draws,
      })
      .map(({ batch, length, heads, pairs, own, numbers }) => {
        const table = [known(length.size + 3), known(pairs)];
        return {
          inputs: [
            numbers.floats([batch, length, known(heads * pairs * 2)]),
            own ? numbers.ids([batch, length], length.size + 3) : numbers.ids([known(1)], 4),
            numbers.floats(table),
            numbers.floats(table),
          ],
          apply: apply('rope', { headDim: 2 * pairs }),
          fixed: [2, 3],
        };
      }),
  gatherRows: (max) =>
    fc
      .tuple(fc.integer({ min: 1, max }), axis('N', 2 * max), axis('D', max), draws)
      .map(([count, rows, width, numbers]) => ({
        inputs: [numbers.floats([known(count), width]), numbers.ids([rows], count)],
        apply: apply('gatherRows', none),
      })),
  after: (max) =>
    fc.tuple(axis('M', 2 * max), axis('N', 2 * max), axis('D', max), draws).map(([m, n, width, numbers]) => ({
      inputs: [numbers.floats([m, width]), numbers.floats([n, width]), numbers.floats([n])],
      apply: apply('after', none),
    })),
  pickRows: (max) =>
    fc
      .tuple(axis('M', 2 * max), axis('D', max), fc.integer({ min: 1, max: 2 * max }), fc.boolean(), draws)
      .map(([all, width, most, named, numbers]) => {
        const order = permutation(`pick-${all.size}-${most}-${width.size}`, all.size).slice(0, most);
        const picked = { size: order.length, name: named ? 'N' : null };
        const places = Array.from({ length: all.size }, (_, m) =>
          order.includes(m) ? order.indexOf(m) : order.length,
        );
        return {
          inputs: [
            numbers.floats([all, width]),
            { dtype: 'int64', axes: [picked], data: order },
            { dtype: 'int64', axes: [all], data: places },
          ],
          apply: apply('pickRows', none),
        };
      }),
  scatterRows: (max) =>
    fc
      .tuple(fc.integer({ min: 1, max }), axis('N', 2 * max), axis('D', max), draws)
      .map(([count, rows, width, numbers]) => ({
        inputs: [numbers.floats([known(count), width]), numbers.ids([rows], count), numbers.floats([rows, width])],
        apply: apply('scatterRows', none),
      })),
  targetLogProb: (max) =>
    vocabulary(max).map(({ rows, words, numbers }) => ({
      inputs: [numbers.floats([rows, known(words)], { low: -6, high: 6 }), numbers.ids([rows], words)],
      apply: (graph, [logits, targets]) => graph.apply('targetLogProb', [logits!, softmax(logits!), targets!], none),
    })),
  targetScatter: (max) =>
    vocabulary(max).map(({ rows, words, numbers }) => ({
      inputs: [numbers.positive([rows, known(words)]), numbers.ids([rows], words), numbers.floats([rows])],
      apply: (graph, [probs, targets, g]) => graph.apply('targetScatter', [probs!, targets!, g!], none),
    })),
  entropy: (max) =>
    vocabulary(max).map(({ rows, words, numbers }) => ({
      inputs: [numbers.floats([rows, known(words)], { low: -6, high: 6 })],
      apply: (graph, [logits]) => graph.apply('entropy', [logits!, softmax(logits!)], none),
    })),
};

export const opNames = Object.keys(opCases) as OpName[];
