/** Rounding to floats of 16 bits, in plain arithmetic: nearest, ties to even. Knows no bits and no tensors. */
import type { HalfFormat } from './ops.ts';

/** Bits of the fraction, the hidden one included, and the smallest exponent of a normal number. */
const forms: Readonly<Record<HalfFormat, { precision: number; smallest: number; largest: number }>> = {
  bfloat16: { precision: 8, smallest: -126, largest: (2 - 2 ** -7) * 2 ** 127 },
  float16: { precision: 11, smallest: -14, largest: 65504 },
};

/** The number of the format that is nearest to x; infinite beyond the largest. */
export function roundToHalf(x: number, format: HalfFormat): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const { precision, smallest, largest } = forms[format];
  let exponent = Math.floor(Math.log2(Math.abs(x)));
  // The logarithm of a number just below a power of 2 may come out as that power's.
  if (2 ** exponent > Math.abs(x)) exponent -= 1;
  // Below the normal numbers the unit stays what it is.
  const unit = 2 ** (Math.max(exponent, smallest) - precision + 1);
  const rounded = roundHalfEven(x / unit) * unit;
  return Math.abs(rounded) > largest ? Math.sign(x) * Infinity : rounded;
}

/** To the nearest whole number, ties to the even one. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
