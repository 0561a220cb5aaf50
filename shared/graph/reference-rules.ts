/**
 * What every op computes, in the plainest TypeScript and in double precision: the oracle that ONNX runs and gradient
 * rules are tested against. Slow on purpose.
 */
import { pieceOf, resolveDim, type DimBindings, type Shape } from './dims.ts';
import { roundHalfEven, roundToHalf } from './half.ts';
import { smallestRow, type OpAttributes, type OpName } from './ops.ts';
import { referenceAttend, referenceAttendGradient, referenceCacheAttend } from './reference-attention.ts';
import { broadcastTo, generate, mapTensor, read, rowsOf, sizeOf, tensor, type Tensor } from './reference-tensor.ts';

type ReferenceRule<K extends OpName> = (
  inputs: readonly Tensor[],
  attributes: OpAttributes[K],
  dims: DimBindings,
) => readonly Tensor[];
type ReferenceRules = { readonly [K in OpName]: ReferenceRule<K> };

const unary =
  (f: (x: number) => number) =>
  ([x]: readonly Tensor[]): readonly Tensor[] => [mapTensor(x!, f)];
const binary =
  (f: (a: number, b: number) => number) =>
  ([a, b]: readonly Tensor[]): readonly Tensor[] => [
    generate(broadcastTo(a!.shape, b!.shape), (index) => f(read(a!, index), read(b!, index))),
  ];
const resolve = (shape: Shape, dims: DimBindings): number[] => shape.map((dim) => resolveDim(dim, dims));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

function matmul(a: Tensor, b: Tensor, { transA, transB, alpha }: OpAttributes['batchMatmul']): Tensor {
  const lead = a.shape.slice(0, -2);
  const [rows, inner] = transA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const columns = transB ? b.shape.at(-2)! : b.shape.at(-1)!;
  return generate([...lead, rows, columns], (index) => {
    const batch = index.slice(0, -2);
    const [row, column] = [index.at(-2)!, index.at(-1)!];
    let total = 0;
    for (let k = 0; k < inner; k += 1) {
      total +=
        read(a, [...batch, ...(transA ? [k, row] : [row, k])]) *
        read(b, [...batch, ...(transB ? [column, k] : [k, column])]);
    }
    return alpha * total;
  });
}

/** Roundings to float32 stand where ONNX Runtime has them: they decide ties of the rounding to whole numbers. */
function int8Gemm(x: Tensor, w: Tensor, scale: Tensor): Tensor {
  const rows = rowsOf(x).map((row) => {
    const largest = Math.max(...row.map(Math.abs), smallestRow);
    const unit = Math.fround(largest * Math.fround(1 / 127));
    return { unit, whole: row.map((value) => roundHalfEven(Math.fround(value / unit))) };
  });
  return generate([x.shape[0]!, w.shape[1]!], ([n, m]) => {
    const { unit, whole } = rows[n!]!;
    return whole.reduce((sum, value, k) => sum + value * read(w, [k, m!]), 0) * unit * read(scale, [m!]);
  });
}

function softmax(x: Tensor): Tensor {
  const out = tensor(x.shape, x.data);
  for (const row of rowsOf(out)) {
    const top = Math.max(...row);
    const exps = row.map((value) => Math.exp(value - top));
    const total = exps.reduce((sum, value) => sum + value, 0);
    row.set(exps.map((value) => value / total));
  }
  return out;
}

const add = binary((a, b) => a + b);

export const referenceRules: ReferenceRules = {
  input: () => {
    throw new TypeError('internal: an input has no reference rule; evaluate() supplies it');
  },
  constant: (_, { type, data }, dims) => [tensor(resolve(type.shape, dims), data)],
  full: (_, { shape, value }, dims) => [generate(resolve(shape, dims), () => value)],
  iota: (_, { size }, dims) => [generate(resolve([size], dims), ([i]) => i!)],

  neg: unary((x) => -x),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  reciprocal: unary((x) => 1 / x),
  sigmoid: unary(sigmoid),
  clip: ([x], { low, high }) => [mapTensor(x!, (value) => Math.min(Math.max(value, low), high))],
  cast: ([x], { to }) => [
    to === 'int64' ? mapTensor(x!, Math.trunc) : to === 'bool' ? mapTensor(x!, (v) => Number(v !== 0)) : x!,
  ],

  add,
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b),
  minimum: binary(Math.min),
  less: binary((a, b) => Number(a < b)),
  where: ([condition, a, b]) => [
    generate(broadcastTo(condition!.shape, broadcastTo(a!.shape, b!.shape)), (index) =>
      read(condition!, index) ? read(a!, index) : read(b!, index),
    ),
  ],

  sum: ([x], { axes, keepDims }) => {
    const out = tensor(
      x!.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
      new Float64Array(sizeOf(x!.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)))),
    );
    generate(x!.shape, (index) => {
      let offset = 0;
      index.forEach((i, axis) => (offset = offset * out.shape[axis]! + (axes.includes(axis) ? 0 : i)));
      return (out.data[offset]! += read(x!, index));
    });
    return [keepDims ? out : { shape: x!.shape.filter((_, axis) => !axes.includes(axis)), data: out.data }];
  },
  reshape: ([x], { shape }, dims) => [{ shape: resolve(shape, dims), data: x!.data }],
  transpose: ([x], { perm }) => [
    generate(
      perm.map((axis) => x!.shape[axis]!),
      (index) =>
        read(
          x!,
          perm.map((_, axis) => index[perm.indexOf(axis)]!),
        ),
    ),
  ],
  expand: ([x], { shape }, dims) => [generate(resolve(shape, dims), (index) => read(x!, index))],
  slice: ([x], { axis, start, end }) => [
    generate(
      x!.shape.map((size, i) => (i === axis ? (end ?? size) - start : size)),
      (index) =>
        read(
          x!,
          index.map((value, i) => (i === axis ? value + start : value)),
        ),
    ),
  ],
  concat: (inputs, { axis }) => {
    const total = inputs.reduce((sum, input) => sum + input.shape[axis]!, 0);
    return [
      generate(
        inputs[0]!.shape.map((size, i) => (i === axis ? total : size)),
        (index) => {
          let at = index[axis]!;
          const part = inputs.find((input) => at < input.shape[axis]! || ((at -= input.shape[axis]!), false))!;
          return read(
            part,
            index.map((value, i) => (i === axis ? at : value)),
          );
        },
      ),
    ];
  },
  split: ([x], { parts }) => {
    const [size, ...rest] = x!.shape;
    let start = 0;
    return Array.from({ length: parts }, (_, i) => {
      const rows = Number(pieceOf(size!, parts, i));
      const from = start * sizeOf(rest);
      start += rows;
      return tensor([rows, ...rest], x!.data.slice(from, start * sizeOf(rest)));
    });
  },

  gemm: ([a, b, c], attributes) => {
    const product = matmul(a!, b!, attributes);
    return c ? add([product, c]) : [product];
  },
  halfGemm: ([a, b], { format, ...attributes }) => {
    const round = (x: Tensor) => mapTensor(x, (value) => roundToHalf(value, format));
    return [round(matmul(round(a!), round(b!), attributes))];
  },
  int8Gemm: ([x, w, scale]) => [int8Gemm(x!, w!, scale!)],
  batchMatmul: ([a, b], attributes) => [matmul(a!, b!, attributes)],

  softmax: ([x]) => [softmax(x!)],
  causalAttend: ([q, k, v], attributes) => [referenceAttend(q!, k!, v!, attributes)],
  causalAttendGradient: ([q, k, v, out, g], attributes) =>
    referenceAttendGradient({ q: q!, k: k!, v: v!, out: out!, g: g! }, attributes),
  cacheAttend: ([q, k, v, keys, values, last]) =>
    referenceCacheAttend({ q: q!, k: k!, v: v!, keys: keys!, values: values!, last: last! }),
  swiglu: ([x, gate]) => {
    const opened = mapTensor(gate!, (value) => value * sigmoid(value));
    return [
      tensor(
        x!.shape,
        opened.data.map((value, i) => value * x!.data[i]!),
      ),
      opened,
    ];
  },
  rmsNorm: ([x, weight], { eps }) => {
    const scales = rowsOf(x!).map((row) => 1 / Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / row.length + eps));
    return [
      generate(x!.shape, ([n, d]) => read(x!, [n!, d!]) * scales[n!]! * weight!.data[d!]!),
      tensor([scales.length, 1], scales),
    ];
  },
  rope: ([x, positions, cos, sin], { headDim }) => {
    const half = headDim / 2;
    return [
      generate(x!.shape, ([b, t, c]) => {
        const position =
          positions!.data.length === 1 && positions!.shape.length === 1
            ? positions!.data[0]! + t!
            : read(positions!, [b!, t!]);
        const i = c! % headDim;
        const first = i < half;
        const angle = [position, i % half];
        const other = read(x!, [b!, t!, first ? c! + half : c! - half]);
        return read(x!, [b!, t!, c!]) * read(cos!, angle) + (first ? -other : other) * read(sin!, angle);
      }),
    ];
  },
  gatherRows: ([table, ids]) => [
    generate([ids!.data.length, table!.shape[1]!], ([n, d]) => read(table!, [ids!.data[n!]!, d!])),
  ],
  after: ([x]) => [x!],
  pickRows: ([x, rows]) => [generate([rows!.data.length, x!.shape[1]!], ([n, d]) => read(x!, [rows!.data[n!]!, d!]))],
  scatterRows: ([base, ids, rows]) => {
    const out = tensor(base!.shape, base!.data);
    generate(rows!.shape, ([n, d]) => (out.data[ids!.data[n!]! * base!.shape[1]! + d!]! += read(rows!, [n!, d!])));
    return [out];
  },
  targetLogProb: ([logits, , targets]) => [
    tensor(
      [targets!.data.length],
      rowsOf(logits!).map((row, n) => row[targets!.data[n]!]! - logSumExp(row)),
    ),
  ],
  targetScatter: ([probs, targets, g]) => [
    generate(probs!.shape, ([n, j]) => g!.data[n!]! * (Number(targets!.data[n!] === j) - read(probs!, [n!, j!]))),
  ],
  entropy: ([logits]) => {
    const probs = rowsOf(softmax(logits!));
    const means = rowsOf(logits!).map((row, n) => row.reduce((sum, x, j) => sum + x * probs[n]![j]!, 0));
    return [
      tensor(
        [means.length],
        rowsOf(logits!).map((row, n) => logSumExp(row) - means[n]!),
      ),
      tensor([means.length], means),
    ];
  },
};

function logSumExp(row: Float64Array): number {
  const top = Math.max(...row);
  return top + Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0));
}
