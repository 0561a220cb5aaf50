/** Exact rationals on bigint, always in lowest terms with a positive bottom. Knows nothing of expressions. */
export interface Rational {
  readonly top: bigint;
  readonly bottom: bigint;
}

/** Results larger than this are not computed (null): a comparison must stay far below its time bound. */
const bitLimit = 6000;

export const integer = (value: bigint | number): Rational => ({ top: BigInt(value), bottom: 1n });
export const zero = integer(0);
export const one = integer(1);
export const isInteger = (x: Rational) => x.bottom === 1n;
export const isZero = (x: Rational) => x.top === 0n;
export const equalRational = (x: Rational, y: Rational) => x.top === y.top && x.bottom === y.bottom;

export const absolute = (x: bigint) => (x < 0n ? -x : x);

export function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [absolute(a), absolute(b)];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** Null for a zero bottom, or where the numbers grow past the limit. */
export function ratio(top: bigint, bottom: bigint): Rational | null {
  if (bottom === 0n || bitLength(top) > bitLimit || bitLength(bottom) > bitLimit) return null;
  if (bottom === 1n) return { top, bottom };
  const shared = gcd(top, bottom) * (bottom < 0n ? -1n : 1n);
  return { top: top / shared, bottom: bottom / shared };
}

export const add = (x: Rational, y: Rational) => ratio(x.top * y.bottom + y.top * x.bottom, x.bottom * y.bottom);
export const negate = (x: Rational): Rational => ({ top: -x.top, bottom: x.bottom });
export const multiply = (x: Rational, y: Rational) => ratio(x.top * y.top, x.bottom * y.bottom);
export const divide = (x: Rational, y: Rational) => ratio(x.top * y.bottom, x.bottom * y.top);
export const compareRational = (x: Rational, y: Rational) => {
  const difference = x.top * y.bottom - y.top * x.bottom;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

/** x to a whole power; null for 0 to a negative power or where it grows past the limit. */
export function power(x: Rational, exponent: bigint): Rational | null {
  if (exponent < 0n) return x.top === 0n ? null : power({ top: x.bottom, bottom: x.top }, -exponent);
  const size = Math.max(bitLength(x.top), bitLength(x.bottom));
  if (size > 1 && Number(exponent) * (size - 1) > bitLimit) return null;
  if (size <= 1) return x.top === -1n && exponent % 2n === 0n ? one : exponent === 0n ? one : ratio(x.top, x.bottom);
  return ratio(x.top ** exponent, x.bottom ** exponent);
}

/** The exact n-th root where x is a perfect n-th power, else null. Even roots of negative numbers are null. */
export function perfectRoot(x: Rational, n: number): Rational | null {
  const [top, bottom] = [integerRoot(x.top, n), integerRoot(x.bottom, n)];
  return top === null || bottom === null ? null : { top, bottom };
}

function integerRoot(x: bigint, n: number): bigint | null {
  if (x < 0n) {
    const root = n % 2 === 1 ? integerRoot(-x, n) : null;
    return root === null ? null : -root;
  }
  if (x < 2n) return x;
  const degree = BigInt(n);
  let guess = 1n << BigInt(Math.ceil(bitLength(x) / n) + 1);
  for (;;) {
    const next = ((degree - 1n) * guess + x / guess ** (degree - 1n)) / degree;
    if (next >= guess) break;
    guess = next;
  }
  return guess ** degree === x ? guess : null;
}

export function bitLength(x: bigint): number {
  if (x === 0n) return 0;
  const hex = absolute(x).toString(16);
  return hex.length * 4 - Math.clz32(parseInt(hex[0]!, 16)) + 28;
}

/** The nearest double. */
export function toNumber(x: Rational): number {
  const [top, bottom] = [Number(x.top), Number(x.bottom)];
  if (Number.isFinite(top) && Number.isFinite(bottom)) return top / bottom;
  const shift = BigInt(Math.max(0, Math.max(bitLength(x.top), bitLength(x.bottom)) - 1000));
  return Number(x.top >> shift) / Number(x.bottom >> shift);
}

/** Reads `digits[.digits]`; null where it is nothing of the kind. */
export function parseDecimal(text: string): Rational | null {
  const match = /^(\d*)\.?(\d*)$/.exec(text);
  if (match === null || (match[1] === '' && match[2] === '') || text.length > 1500) return null;
  return ratio(BigInt(`${match[1]}${match[2]}`), 10n ** BigInt(match[2]!.length));
}
