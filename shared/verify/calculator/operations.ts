/** The calculator's arithmetic: exact as long as values are rational, else in double precision. Knows no text. */
import {
  add, compareRational, divide, integer, isInteger, multiply, negate, perfectRoot, power, ratio, toNumber,
} from '../value/rational.ts'; // prettier-ignore
import type { Rational } from '../value/rational.ts';

/** Exact, or a double. */
export type CalculatorValue = Rational | number;

/** Why an expression has no value; the message is shown to who asked. */
export class CalculatorError extends Error {}

const largestFactorial = 700n;

export const fail = (message: string): never => {
  throw new CalculatorError(message);
};
export const approximate = (value: CalculatorValue) => (typeof value === 'number' ? value : toNumber(value));
export const exactly = (value: CalculatorValue): value is Rational => typeof value !== 'number';

type Operation = (x: Rational, y: Rational) => Rational | null;
/** Exact where both are and the result is; else in doubles. */
export const combine = (
  x: CalculatorValue,
  y: CalculatorValue,
  exact: Operation,
  inexact: (x: number, y: number) => number,
) => (exactly(x) && exactly(y) ? exact(x, y) : null) ?? inexact(approximate(x), approximate(y));

const floorOf = ({ top, bottom }: Rational) => {
  const quotient = top / bottom;
  return integer(top < 0n && quotient * bottom !== top ? quotient - 1n : quotient);
};
const round = (value: CalculatorValue, exact: (x: Rational) => Rational, inexact: (x: number) => number) =>
  exactly(value) ? exact(value) : inexact(value);
export const floor = (value: CalculatorValue) => round(value, floorOf, Math.floor);
export const ceil = (value: CalculatorValue) => round(value, (x) => negate(floorOf(negate(x))), Math.ceil);
/** Halves go away from zero, as at school. */
export const nearest = (value: CalculatorValue) => {
  const half = { top: 1n, bottom: 2n };
  const up = (x: Rational) => floorOf(add(x, half)!);
  return round(
    value,
    (x) => (x.top < 0n ? negate(up(negate(x))) : up(x)),
    (x) => Math.sign(x) * Math.round(Math.abs(x)),
  );
};

const nonZero = (value: CalculatorValue) =>
  approximate(value) === 0 && (!exactly(value) || value.top === 0n) ? fail('division by zero') : value;
export const quotient = (x: CalculatorValue, y: CalculatorValue) => combine(x, nonZero(y), divide, (a, b) => a / b);
export const whole = (x: CalculatorValue, y: CalculatorValue) => floor(quotient(x, y));
export const product = (x: CalculatorValue, y: CalculatorValue) => combine(x, y, multiply, (a, b) => a * b);
export const difference = (x: CalculatorValue, y: CalculatorValue) =>
  combine(
    x,
    y,
    (a, b) => add(a, negate(b)),
    (a, b) => a - b,
  );
/** With the sign of the divisor, as in Python. */
export const remainder = (x: CalculatorValue, y: CalculatorValue) => difference(x, product(y, whole(x, y)));

export function raise(base: CalculatorValue, exponent: CalculatorValue): CalculatorValue {
  if (exactly(base) && exactly(exponent)) {
    if (base.top === 0n && exponent.top < 0n) fail('division by zero');
    if (isInteger(exponent)) return power(base, exponent.top) ?? approximate(base) ** approximate(exponent);
    const root = exponent.bottom <= 64n && base.top >= 0n ? perfectRoot(base, Number(exponent.bottom)) : null;
    const exact = root === null ? null : power(root, exponent.top);
    if (exact !== null) return exact;
  }
  const value = approximate(base) ** approximate(exponent);
  return Number.isNaN(value) ? fail('a negative number has no such power') : value;
}

export const wholeNumber = (value: CalculatorValue, what: string): bigint =>
  exactly(value) && isInteger(value) ? value.top : fail(`${what} takes whole numbers`);

export function factorial(value: CalculatorValue): CalculatorValue {
  const n = wholeNumber(value, 'the factorial');
  if (n < 0n || n > largestFactorial) fail(`the factorial is known from 0 to ${largestFactorial}`);
  let result = 1n;
  for (let i = 2n; i <= n; i += 1n) result *= i;
  return integer(result);
}

export function choose(n: CalculatorValue, k: CalculatorValue, ordered: boolean): CalculatorValue {
  const [from, count] = [wholeNumber(n, 'comb'), wholeNumber(k, 'comb')];
  if (from < 0n || count < 0n) fail('comb and perm take numbers from 0');
  if (count > from) return integer(0);
  const steps = ordered || count * 2n <= from ? count : from - count;
  if (steps > largestFactorial) fail(`comb and perm take at most ${largestFactorial} factors`);
  let result = 1n;
  for (let i = 0n; i < steps; i += 1n) result = ordered ? result * (from - i) : (result * (from - i)) / (i + 1n);
  return ratio(result, 1n) ?? fail('the result is too large');
}

export const smaller = (x: CalculatorValue, y: CalculatorValue) =>
  exactly(x) && exactly(y) ? compareRational(x, y) <= 0 : approximate(x) <= approximate(y);

export function inDoubles(apply: (x: number, y: number) => number, domain: string) {
  return (x: CalculatorValue, y?: CalculatorValue): CalculatorValue => {
    const value = apply(approximate(x), y === undefined ? NaN : approximate(y));
    return Number.isNaN(value) ? fail(domain) : value;
  };
}
