/**
 * Exact value of a formula in the rationals, with symbols replaced by rationals. Null means "not rational as far as this
 * can tell" (a radical, π, a number past the size limit), never "undefined".
 */
import type { Node } from '../expression.ts';
import {
  absolute, add, bitLength, compareRational, divide, equalRational, gcd, integer, isInteger, multiply, negate, one, perfectRoot, power, ratio, zero,
} from './rational.ts'; // prettier-ignore
import type { Rational } from './rational.ts';

export type ExactSymbols = ReadonlyMap<string, Rational>;
const none: ExactSymbols = new Map();
/** Larger ones are compared by residues. */
const largestBinomial = 1200n;
const hundredth = { top: 1n, bottom: 100n };

/** Values of formulas without symbols, so that lists are compared with one evaluation an item. */
const known = new WeakMap<Node, { value: Rational | null }>();

export function evaluateExact(node: Node, symbols: ExactSymbols = none): Rational | null {
  if (symbols.size > 0 || node.k === 'number') return evaluate(node, symbols);
  const found = known.get(node) ?? { value: evaluate(node, symbols) };
  known.set(node, found);
  return found.value;
}

function evaluate(node: Node, symbols: ExactSymbols): Rational | null {
  const value = (child: Node) => evaluateExact(child, symbols);
  switch (node.k) {
    case 'number':
      return node.value;
    case 'symbol':
      return symbols.get(node.name) ?? null;
    case 'add':
      return fold(node.items, zero, add, value);
    case 'multiply':
      return fold(node.items, one, multiply, value);
    case 'negate':
      return map(value(node.of), negate);
    case 'divide':
      return both(value(node.top), value(node.bottom), divide);
    case 'power':
      return powerOf(value(node.base), value(node.exponent));
    case 'percent':
      return both(value(node.of), hundredth, multiply);
    case 'unit':
      return value(node.of);
    case 'group':
      return node.items.length === 1 ? value(node.items[0]!) : null;
    case 'based':
      return basedValue(node.digits, node.base);
    case 'ratio':
      return node.items.length === 2 ? both(value(node.items[0]!), value(node.items[1]!), divide) : null;
    case 'call':
      return callOf(node.name, node.args.map(value));
    default:
      return null;
  }
}

const map = (x: Rational | null, f: (x: Rational) => Rational | null) => (x === null ? null : f(x));
const both = (x: Rational | null, y: Rational | null, f: (x: Rational, y: Rational) => Rational | null) =>
  x === null || y === null ? null : f(x, y);

function fold(
  items: readonly Node[],
  start: Rational,
  f: (x: Rational, y: Rational) => Rational | null,
  value: (node: Node) => Rational | null,
): Rational | null {
  let sum: Rational | null = start;
  for (const item of items) {
    if (sum === null) return null;
    sum = both(sum, value(item), f);
  }
  return sum;
}

function powerOf(base: Rational | null, exponent: Rational | null): Rational | null {
  if (base === null || exponent === null) return null;
  if (isInteger(exponent)) return power(base, exponent.top);
  if (exponent.bottom > 64n || base.top < 0n) return null;
  const root = perfectRoot(base, Number(exponent.bottom));
  return root === null ? null : power(root, exponent.top);
}

/** Value of digits in a base, or null where a digit is too large. */
export function basedValue(digits: string, base: number): Rational | null {
  let value = 0n;
  for (const c of digits) {
    const digit = parseInt(c, 36);
    if (!(digit < base)) return null;
    value = value * BigInt(base) + BigInt(digit);
  }
  return integer(value);
}

function callOf(name: string, args: readonly (Rational | null)[]): Rational | null {
  const [x, y] = args;
  if (x === null || x === undefined || args.includes(null)) return null;
  switch (name) {
    case 'sqrt':
      return x.top < 0n ? null : perfectRoot(x, 2);
    case 'root':
      return y !== undefined && y !== null && isInteger(y) && y.top > 0n && y.top < 64n
        ? perfectRoot(x, Number(y.top))
        : null;
    case 'abs':
      return { top: absolute(x.top), bottom: x.bottom };
    case 'floor':
      return integer(floor(x));
    case 'ceil':
      return integer(-floor(negate(x)));
    case 'factorial':
      return isInteger(x) && x.top >= 0n && x.top <= 700n ? integer(factorial(x.top)) : null;
    case 'binom':
      return y === null || y === undefined ? null : binomial(x, y);
    case 'sin':
    case 'tan':
      return equalRational(x, zero) ? zero : null;
    case 'cos':
      return equalRational(x, zero) ? one : null;
    case 'ln':
      return equalRational(x, one) ? zero : null;
    case 'log':
    case 'log10':
      return logarithm(x, y ?? (name === 'log10' ? integer(10) : null));
    case 'max':
    case 'min':
      return extreme(args as Rational[], name === 'max' ? 1 : -1);
    case 'gcd':
    case 'lcm':
      return divisor(args as Rational[], name);
    default:
      return null;
  }
}

const floor = (x: Rational) => (x.top >= 0n ? x.top / x.bottom : -((-x.top + x.bottom - 1n) / x.bottom));

function factorial(n: bigint): bigint {
  let value = 1n;
  for (let i = 2n; i <= n; i += 1n) value *= i;
  return value;
}

function binomial(n: Rational, k: Rational): Rational | null {
  if (!isInteger(n) || !isInteger(k) || n.top < 0n || n.top > largestBinomial) return null;
  if (k.top < 0n || k.top > n.top) return zero;
  const terms = k.top * 2n > n.top ? n.top - k.top : k.top;
  let value = 1n;
  for (let i = 1n; i <= terms; i += 1n) value = (value * (n.top - terms + i)) / i;
  return ratio(value, 1n);
}

/** Whole logarithms of whole numbers: log_2 8 = 3. */
function logarithm(x: Rational, base: Rational | null): Rational | null {
  if (equalRational(x, one)) return zero;
  if (base === null || !isInteger(base) || base.top < 2n || x.top <= 0n || bitLength(x.top) > 400) return null;
  for (let e = 1n; e <= 400n; e += 1n) {
    const raised = power(base, e);
    if (raised === null) return null;
    if (equalRational(raised, x)) return integer(e);
    if (equalRational({ top: raised.bottom, bottom: raised.top }, x)) return integer(-e);
    if (bitLength(raised.top) > bitLength(x.top) + 8 && bitLength(raised.top) > bitLength(x.bottom) + 8) return null;
  }
  return null;
}

function extreme(args: readonly Rational[], sign: 1 | -1): Rational {
  return args.reduce((best, x) => (compareRational(x, best) === sign ? x : best));
}

function divisor(args: readonly Rational[], name: 'gcd' | 'lcm'): Rational | null {
  if (!args.every(isInteger)) return null;
  return args.reduce((x, y) => {
    const shared = gcd(x.top, y.top);
    return integer(name === 'gcd' || shared === 0n ? shared : absolute(x.top * y.top) / shared);
  });
}
