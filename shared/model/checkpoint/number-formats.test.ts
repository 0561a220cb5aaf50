import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { narrow, widen, type StoredDType } from './number-formats.ts';

const bitsOf = (dtype: StoredDType, ...values: number[]) => [
  ...new Uint16Array(narrow(dtype, Float32Array.from(values)).slice().buffer),
];
const valueOf = (dtype: StoredDType, bits: number) => {
  const out = new Float32Array(1);
  widen(dtype, new Uint8Array(Uint16Array.of(bits).buffer), out);
  return out[0]!;
};
const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

describe.each(['F16', 'BF16'] as const)('%s', (dtype) => {
  it('comes back with the same bits, every one of 65,536', () => {
    const wide = new Float32Array(65536);
    widen(dtype, new Uint8Array(all.buffer), wide);
    expect(new Uint16Array(narrow(dtype, wide).slice().buffer)).toEqual(all);
  });

  it('takes the nearest number, the even one of two', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true, max: 65000, min: -65000 }), (x) => {
        const [bits] = bitsOf(dtype, x);
        const distance = (other: number) => Math.abs(valueOf(dtype, other) - Math.fround(x));
        for (const other of [bits! - 1, bits! + 1]) {
          if (((other ^ bits!) & 0x8000) !== 0 || other < 0) continue;
          expect(distance(bits!)).toBeLessThanOrEqual(distance(other));
          if (distance(bits!) === distance(other)) expect(bits! % 2).toBe(0);
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it('reads bytes that are not aligned', () => {
    const out = new Float32Array(3);
    widen(dtype, Uint8Array.of(9, 0, 0, 1, 0).subarray(1), out, 1);
    expect([...out]).toEqual([0, 0, valueOf(dtype, 1)]);
  });
});

describe('half precision', () => {
  // IEEE 754 binary16, by hand.
  it.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [1 / 3, 0x3555],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [-1e30, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1.5 * 2 ** -24, 0x0002],
    [2.5 * 2 ** -24, 0x0002],
    [-0, 0x8000],
    [Infinity, 0x7c00],
  ])('writes %d', (value, bits) => expect(bitsOf('F16', value)).toEqual([bits]));

  it('reads subnormals', () => {
    expect([1, 0x3ff, 0x400, 0x8001].map((bits) => valueOf('F16', bits))).toEqual([
      2 ** -24,
      1023 * 2 ** -24,
      2 ** -14,
      -(2 ** -24),
    ]);
  });
});

describe('bfloat16', () => {
  it.each([
    [1, 0x3f80],
    [1 / 3, 0x3eab],
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
    [3.4e38, 0x7f80],
    [-0, 0x8000],
    [NaN, 0x7fc0],
  ])('writes %d', (value, bits) => expect(bitsOf('BF16', value)).toEqual([bits]));
});
