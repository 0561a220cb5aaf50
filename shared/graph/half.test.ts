/** Rounding to 16 bits and products of rounded numbers against numbers worked out by hand. */
import { describe, expect, it, test } from 'vitest';
import { gemm, halfGemm, mul, sum } from './build.ts';
import { evaluate } from './evaluate.ts';
import { gradient } from './gradient.ts';
import { Graph } from './graph.ts';
import { roundToHalf } from './half.ts';
import { tensor } from './reference-tensor.ts';

describe('roundToHalf', () => {
  it.each([
    // 7 bits after the point: 1 + 1/256 lies between 1 and 1 + 1/128, 1 + 3/256 between odd and even.
    [1 + 1 / 256, 'bfloat16', 1],
    [1 + 3 / 256, 'bfloat16', 1 + 2 / 128],
    [1 + 1 / 256 + 2 ** -20, 'bfloat16', 1 + 1 / 128],
    [-3.1415926, 'bfloat16', -3.140625],
    [1e-40, 'bfloat16', 2 ** -133],
    [3.4e38, 'bfloat16', Infinity],
    // 10 bits, and none below 2^-24.
    [1 + 1 / 2048, 'float16', 1],
    [1 + 3 / 2048, 'float16', 1 + 2 / 1024],
    [3.1415926, 'float16', 3.140625],
    [2049, 'float16', 2048],
    [3e-8, 'float16', 2 ** -24],
    [2.9e-8, 'float16', 0],
    [65519, 'float16', 65504],
    [65520, 'float16', Infinity],
    [0, 'float16', 0],
  ] as const)('%f in %s is %f', (x, format, wanted) => expect(roundToHalf(x, format)).toBe(wanted));
});

const [rows, inner, columns] = [2, 2, 1];
function productOf(format: 'bfloat16' | 'float16' | null) {
  const graph = new Graph();
  const a = graph.input('a', 'float32', [rows, inner]);
  const b = graph.input('b', 'float32', [inner, columns]);
  const y = format === null ? gemm(a, b) : halfGemm(a, b, format);
  const g = graph.input('g', 'float32', [rows, columns]);
  const gradients = gradient(sum(mul(y, g)), [a, b]);
  return (values: Record<'a' | 'b' | 'g', number[]>) =>
    evaluate([y, ...gradients], {
      a: tensor([rows, inner], values.a),
      b: tensor([inner, columns], values.b),
      g: tensor([rows, columns], values.g),
    }).map(({ data }) => [...data]);
}

test('halfGemm rounds both factors and the result, forward and back', () => {
  const [y, da, db] = productOf('bfloat16')({ a: [1 + 1 / 256, 3, 0.5, 1], b: [1, 1 + 3 / 256], g: [1 + 1 / 512, 4] });
  // 1 * 1 + 3 * (1 + 2/128) = 4 + 6/128: a number of 16 bits has units of 4/128 there, so 4 + 8/128 (6 is a tie, to even).
  expect(y).toEqual([4 + 8 / 128, 1.515625]);
  // g is 1 and 4 when rounded.
  expect(da).toEqual([1, 1 + 2 / 128, 4, 4 + 8 / 128]);
  expect(db).toEqual([1 + 4 * 0.5, 3 + 4]);
});

test('halfGemm is gemm where nothing needs rounding', () => {
  const values = { a: [1.5, -2, 0.25, 3], b: [2, -0.5], g: [1, 0.75] };
  for (const format of ['bfloat16', 'float16'] as const)
    expect(productOf(format)(values)).toEqual(productOf(null)(values));
});
