/** The calculator's functions and constants, by name. Wrong arguments throw `CalculatorError`. */
import { absolute, gcd, integer, perfectRoot } from '../value/rational.ts';
import {
  approximate, ceil, choose, exactly, factorial, floor, inDoubles, nearest, product, quotient, raise, remainder, fail, smaller, wholeNumber,
} from './operations.ts'; // prettier-ignore
import type { CalculatorValue } from './operations.ts';

type Function = (...args: CalculatorValue[]) => CalculatorValue;
/** Name → [fewest arguments, most arguments, what it does]. */
export const functions: Record<string, readonly [number, number, Function]> = {
  sqrt: [1, 1, (x) => raise(x, { top: 1n, bottom: 2n })],
  cbrt: [1, 1, (x) => (exactly(x) ? perfectRoot(x, 3) : null) ?? Math.cbrt(approximate(x))],
  abs: [1, 1, (x) => (exactly(x) ? { top: absolute(x.top), bottom: x.bottom } : Math.abs(x))],
  floor: [1, 1, (x) => floor(x)],
  ceil: [1, 1, (x) => ceil(x)],
  round: [
    1,
    2,
    (x, digits) => {
      const places = digits === undefined ? 0n : wholeNumber(digits, 'round');
      if (places < -300n || places > 300n) fail('round takes -300 to 300 digits');
      const scale = raise(integer(10), integer(places));
      return quotient(nearest(product(x, scale)), scale);
    },
  ],
  min: [1, Infinity, (...args) => args.reduce((best, x) => (smaller(best, x) ? best : x))],
  max: [1, Infinity, (...args) => args.reduce((best, x) => (smaller(best, x) ? x : best))],
  gcd: [2, 2, (x, y) => integer(gcd(wholeNumber(x, 'gcd'), wholeNumber(y, 'gcd')))],
  lcm: [
    2,
    2,
    (x, y) => {
      const [a, b] = [wholeNumber(x, 'lcm'), wholeNumber(y, 'lcm')];
      return a === 0n || b === 0n ? integer(0) : integer(absolute(a * b) / gcd(a, b));
    },
  ],
  mod: [2, 2, (x, y) => remainder(x, y)],
  factorial: [1, 1, (x) => factorial(x)],
  comb: [2, 2, (n, k) => choose(n, k, false)],
  perm: [2, 2, (n, k) => choose(n, k, true)],
  exp: [1, 1, (x) => (exactly(x) && x.top === 0n ? integer(1) : Math.exp(approximate(x)))],
  log: [
    1,
    2,
    inDoubles(
      (x, y) => (x > 0 ? (Number.isNaN(y) ? Math.log(x) : Math.log(x) / Math.log(y)) : NaN),
      'log takes positive numbers',
    ),
  ],
  ln: [1, 1, inDoubles((x) => (x > 0 ? Math.log(x) : NaN), 'ln takes positive numbers')],
  log2: [1, 1, inDoubles((x) => (x > 0 ? Math.log2(x) : NaN), 'log2 takes positive numbers')],
  log10: [1, 1, inDoubles((x) => (x > 0 ? Math.log10(x) : NaN), 'log10 takes positive numbers')],
  sin: [1, 1, inDoubles(Math.sin, 'sin')],
  cos: [1, 1, inDoubles(Math.cos, 'cos')],
  tan: [1, 1, inDoubles(Math.tan, 'tan')],
  asin: [1, 1, inDoubles(Math.asin, 'asin takes -1 to 1')],
  acos: [1, 1, inDoubles(Math.acos, 'acos takes -1 to 1')],
  atan: [1, 1, inDoubles(Math.atan, 'atan')],
};
export const constants: Record<string, number> = { pi: Math.PI, π: Math.PI, e: Math.E };
