/**
 * Tensor bytes of a checkpoint to float32 and back: F32, F16 (IEEE 754 half) and BF16, little-endian. Widening is exact;
 * narrowing rounds to nearest, ties to even. A widened tensor narrows to the bits it came from, NaN payloads included.
 */
export const storedDTypes = ['F32', 'F16', 'BF16'] as const;
export type StoredDType = (typeof storedDTypes)[number];

export const bytesOf: Readonly<Record<StoredDType, number>> = { F32: 4, F16: 2, BF16: 2 };

/** Writes the numbers of `bytes` into `out` from entry `at`; `bytes` holds whole numbers and may lie at any offset. */
export function widen(dtype: StoredDType, bytes: Uint8Array, out: Float32Array, at = 0): void {
  if (dtype === 'F32') {
    new Uint8Array(out.buffer, out.byteOffset + 4 * at, bytes.length).set(bytes);
    return;
  }
  const words = wordsOf(bytes);
  const bits = new Uint32Array(out.buffer, out.byteOffset + 4 * at, words.length);
  if (dtype === 'BF16') for (let i = 0; i < words.length; i++) bits[i] = words[i]! << 16;
  else {
    const table = (halves ??= Uint32Array.from({ length: 65536 }, (_, half) => widenHalf(half)));
    for (let i = 0; i < words.length; i++) bits[i] = table[words[i]!]!;
  }
}

/** The bytes of `values` in `dtype`; for F32 a view of them. */
export function narrow(dtype: StoredDType, values: Float32Array): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const words = new Uint16Array(values.length);
  if (dtype === 'BF16') narrowBrains(bits, words);
  else for (let i = 0; i < bits.length; i++) words[i] = narrowHalf(bits[i]!);
  return new Uint8Array(words.buffer);
}

/** Aligned 16-bit words; copied only where the bytes are not aligned. */
function wordsOf(bytes: Uint8Array): Uint16Array {
  const whole = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(whole.buffer, whole.byteOffset, whole.length / 2);
}

let halves: Uint32Array | undefined;

/** Half to single, as bits: 1 sign, 5 exponent (bias 15), 10 fraction. */
function widenHalf(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // A subnormal half is a normal single: its first set bit becomes the hidden one.
  const shift = Math.clz32(fraction) - 21;
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13)) >>> 0;
}

function narrowHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7c00 | ((size >> 13) & 1023) | ((size >> 13) & 1023 ? 0 : 512);
  // From 65520 on, rounding leads to infinity.
  if (size >= 0x477ff000) return sign | 0x7c00;
  if (size >= 0x38800000) return sign | roundedShift(size - 0x38000000, 13);
  // Below 2^-25 nothing is left of it.
  if (size < 0x33000000) return sign;
  const exponent = size >>> 23;
  return sign | roundedShift((size & 0x7fffff) | 0x800000, 126 - exponent);
}

/** Adds what carries into the upper half where the nearest number, or of two the even one, is above: weights are many. */
function narrowBrains(bits: Uint32Array, words: Uint16Array): void {
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    // A NaN stays one, even if its payload lies in the half that is cut off.
    if (isNaN) words[i] = (word >>> 16) | ((word >>> 16) & 0x7f ? 0 : 0x40);
    else words[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
}

/** value / 2^shift to the nearest whole number, ties to even. */
function roundedShift(value: number, shift: number): number {
  const floor = value >>> shift;
  const rest = value - floor * 2 ** shift;
  const half = 2 ** (shift - 1);
  return floor + Number(rest > half || (rest === half && (floor & 1) === 1));
}
