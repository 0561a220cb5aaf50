/** Causal attention and its gradient in double precision, one query at a time, whatever the number of blocks. */
import type { CausalAttention } from './ops.ts';
import { tensor, type Tensor } from './reference-tensor.ts';

/** One query: its offset in q, the offsets of the keys it sees, and its probabilities. */
interface Query {
  readonly at: number;
  readonly keys: readonly number[];
  readonly probabilities: readonly number[];
}

function* queries(q: Tensor, k: Tensor, headDim: number): Generator<Query> {
  const [batch, length, width] = q.shape as [number, number, number];
  const kvWidth = k.shape[2]!;
  const group = width / kvWidth;
  for (let b = 0; b < batch; b += 1) {
    for (let t = 0; t < length; t += 1) {
      for (let head = 0; head < width / headDim; head += 1) {
        const at = (b * length + t) * width + head * headDim;
        const keyAt = (s: number) => (b * length + s) * kvWidth + Math.floor(head / group) * headDim;
        const keys = Array.from({ length: t + 1 }, (_, s) => keyAt(s));
        const products = keys.map((key) => dot(q.data, at, k.data, key, headDim));
        yield { at, keys, probabilities: probabilitiesOf(products, headDim) };
      }
    }
  }
}

function probabilitiesOf(products: readonly number[], headDim: number): number[] {
  const scores = products.map((product) => product / Math.sqrt(headDim));
  const top = Math.max(...scores);
  const masses = scores.map((score) => Math.exp(score - top));
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  return masses.map((mass) => mass / total);
}

function dot(a: Float64Array, i: number, b: Float64Array, j: number, width: number): number {
  let sum = 0;
  for (let d = 0; d < width; d += 1) sum += a[i + d]! * b[j + d]!;
  return sum;
}

/** to[i ..] += scale * from[j ..] */
function addScaled(to: Float64Array, i: number, from: Float64Array, j: number, scale: number, width: number): void {
  for (let d = 0; d < width; d += 1) to[i + d]! += scale * from[j + d]!;
}

const zerosLike = ({ shape, data }: Tensor): Tensor => tensor(shape, new Float64Array(data.length));

export function referenceAttend(q: Tensor, k: Tensor, v: Tensor, { headDim }: CausalAttention): Tensor {
  const out = zerosLike(q);
  for (const { at, keys, probabilities } of queries(q, k, headDim)) {
    keys.forEach((key, s) => addScaled(out.data, at, v.data, key, probabilities[s]!, headDim));
  }
  return out;
}

export function referenceAttendGradient(
  { q, k, v, out, g }: Record<'q' | 'k' | 'v' | 'out' | 'g', Tensor>,
  { headDim }: CausalAttention,
): Tensor[] {
  const [dq, dk, dv] = [zerosLike(q), zerosLike(k), zerosLike(v)];
  for (const { at, keys, probabilities } of queries(q, k, headDim)) {
    const mean = dot(g.data, at, out.data, at, headDim);
    keys.forEach((key, s) => {
      const p = probabilities[s]!;
      const dScore = (p * (dot(g.data, at, v.data, key, headDim) - mean)) / Math.sqrt(headDim);
      addScaled(dv.data, key, g.data, at, p, headDim);
      addScaled(dq.data, at, k.data, key, dScore, headDim);
      addScaled(dk.data, key, q.data, at, dScore, headDim);
    });
  }
  return [dq, dk, dv];
}

interface CacheAttention {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly keys: Tensor;
  readonly values: Tensor;
  readonly last: Tensor;
}

/** Op `cacheAttend`: the caches with the new entries, then each row's only query against the entries 0 to last[b]. */
export function referenceCacheAttend({ q, k, v, keys, values, last }: CacheAttention): readonly Tensor[] {
  const [batch, kvHeads, window, headDim] = keys.shape as [number, number, number, number];
  const group = q.shape[2]! / k.shape[2]!;
  const nextKeys = keys.data.slice();
  const nextValues = values.data.slice();
  const out = new Float64Array(q.data.length);
  for (let row = 0; row < batch * kvHeads; row += 1) {
    const count = last.data[Math.floor(row / kvHeads)]! + 1;
    const entries = Array.from({ length: count }, (_, s) => (row * window + s) * headDim);
    nextKeys.set(k.data.subarray(row * headDim, (row + 1) * headDim), entries.at(-1));
    nextValues.set(v.data.subarray(row * headDim, (row + 1) * headDim), entries.at(-1));
    for (let head = row * group; head < (row + 1) * group; head += 1) {
      const products = entries.map((at) => dot(q.data, head * headDim, nextKeys, at, headDim));
      const probabilities = probabilitiesOf(products, headDim);
      entries.forEach((at, s) => addScaled(out, head * headDim, nextValues, at, probabilities[s]!, headDim));
    }
  }
  return [tensor(q.shape, out), tensor(keys.shape, nextKeys), tensor(values.shape, nextValues)];
}
