/**
 * Whether two formulas have one value. Rationals are decided exactly; numbers too large to write by residues; the rest by
 * sampling at fixed points (exactly where the formula is rational in its symbols, else in complex doubles).
 *
 * Decimals: a whole number never equals anything near it. A decimal equals an exact value that is not whole when it is
 * that value rounded or cut off, with at least six significant digits; decimals of 15 digits and more may carry the
 * noise of a double. There is no relative tolerance (spec B2).
 */
import { magnitude, minus } from './complex.ts';
import { evaluateExact } from './evaluate-exact.ts';
import { evaluateModular, primes } from './evaluate-modular.ts';
import { evaluateNumeric, hasValue } from './evaluate-numeric.ts';
import type { Sample } from './evaluate-numeric.ts';
import { someNode, symbolsOf } from '../expression.ts';
import type { Node } from '../expression.ts';
import { absolute, add, divide, equalRational, isInteger, negate, toNumber, integer } from './rational.ts';
import type { Rational } from './rational.ts';

/** The rule that proved equality, or null. */
export type How = 'integer' | 'rational' | 'decimal' | 'numeric' | 'sampled' | null;

const closeness = 1e-10;
const leastDigits = 6;
/** Digits cut off rather than rounded: only with so many places. */
const cutPlaces = 4;
const artefactDigits = 15;
const artefactNoise = 1e-14;
const artefactMost = 1e-4;

export function scalarEqual(a: Node, b: Node): How {
  if (a.k === 'symbol' && b.k === 'symbol') return a.name === b.name ? 'rational' : null;
  const symbols = new Set([...symbolsOf(a), ...symbolsOf(b)]);
  return symbols.size === 0 ? constantEqual(a, b) : formulaEqual(a, b, [...symbols]);
}

function constantEqual(a: Node, b: Node): How {
  const [x, y] = [evaluateExact(a), evaluateExact(b)];
  const [p, q] = [decimalOf(a), decimalOf(b)];
  if (x !== null && y !== null) {
    if (equalRational(x, y)) return isInteger(x) ? 'integer' : 'rational';
    if (p === null && q === null) return null;
    return decimalsAgree(x, p, y, q) ? 'decimal' : null;
  }
  const residues = x === null || y === null ? residuesAgree(a, b) : null;
  if (residues === true) return 'rational';
  if (infinite(a) !== 0 || infinite(b) !== 0) return infinite(a) === infinite(b) ? 'numeric' : null;
  return numericEqual(a, b, p, q, residues !== false);
}

/** `close` allows equality of doubles: not where both are rational and differ. */
function numericEqual(a: Node, b: Node, p: Decimal | null, q: Decimal | null, close: boolean): How {
  for (const logBase of logBases(a, b)) {
    const sample = { symbols: new Map<string, number>(), logBase };
    const [u, v] = [evaluateNumeric(a, sample), evaluateNumeric(b, sample)];
    if (!hasValue(u) || !hasValue(v)) continue;
    const difference = magnitude(minus(u, v));
    const size = Math.max(magnitude(u), magnitude(v));
    if (close && size > smallest && difference <= closeness * size) return 'numeric';
    const decimal = p ?? q;
    if (decimal !== null && (p === null || q === null) && decimal.digits >= leastDigits) {
      const [written, value] = p !== null ? [u, v] : [v, u];
      if (u.im === 0 && v.im === 0 && isRounding(written.re, decimal.places, value.re)) return 'decimal';
    }
    if (close && vanishes(a, sample) && vanishes(b, sample)) return 'numeric';
  }
  return null;
}

const logBases = (a: Node, b: Node) =>
  [a, b].some((node) => someNode(node, (n) => n.k === 'call' && n.name === 'log' && n.args.length === 1))
    ? [10, Math.E]
    : [10];

interface Decimal {
  places: number;
  digits: number;
}

/** The decimal literal that the node is, apart from sign, unit and percent. */
function decimalOf(node: Node): Decimal | null {
  if (node.k === 'negate' || node.k === 'unit' || node.k === 'degree') return decimalOf(node.of);
  return node.k === 'number' && node.places !== null ? { places: node.places, digits: node.digits } : null;
}

function decimalsAgree(x: Rational, p: Decimal | null, y: Rational, q: Decimal | null): boolean {
  const [u, v] = [toNumber(x), toNumber(y)];
  const digits = Math.max(p?.digits ?? 0, q?.digits ?? 0);
  const apart = Math.abs(toNumber(add(x, negate(y)) ?? integer(1)));
  if (digits >= artefactDigits && apart <= Math.min(artefactNoise * Math.max(Math.abs(u), Math.abs(v)), artefactMost))
    return true;
  if (isInteger(x) || isInteger(y)) return false;
  const answerIsCoarser = p === null || (q !== null && q.places < p.places);
  const [coarse, written, exact] = answerIsCoarser ? [q!, y, x] : [p, x, y];
  if (coarse.digits < leastDigits || coarse.places < 2 || exact.top < 0n !== written.top < 0n) return false;
  const scale = 10n ** BigInt(coarse.places);
  const cut = (absolute(exact.top) * scale) / exact.bottom;
  const rounded = (absolute(exact.top) * scale * 2n + exact.bottom) / (exact.bottom * 2n);
  const digitsWritten = (absolute(written.top) * scale) / written.bottom;
  return digitsWritten === rounded || (digitsWritten === cut && coarse.places >= cutPlaces);
}

/** Whether `decimal`, written with so many places, is `value` rounded or cut off. */
function isRounding(decimal: number, places: number, value: number): boolean {
  const unit = 10 ** -places;
  const difference = Math.abs(value) - Math.abs(decimal);
  return Math.sign(value) === Math.sign(decimal) && difference < unit * 1.000001 && difference > -0.500001 * unit;
}

/** Whether two numbers are one modulo every prime; null where either has no residue. */
function residuesAgree(a: Node, b: Node): boolean | null {
  let agree = true;
  for (const p of primes) {
    const [x, y] = [evaluateModular(a, p), evaluateModular(b, p)];
    if (x === null || y === null) return null;
    agree &&= x === y;
  }
  return agree;
}

const noise = 1e-13;
/** Below, doubles lose digits: such values are not compared by them. */
const smallest = 1e-290;

/** Whether the value is zero but for the noise of doubles: terms that cancel, a root of a function. Small is not zero. */
function vanishes(node: Node, sample: Sample): boolean {
  const size = (part: Node) => magnitude(evaluateNumeric(part, sample));
  switch (node.k) {
    case 'number':
      return node.value.top === 0n;
    case 'add':
      return size(node) <= noise * Math.max(...node.items.map(size));
    case 'multiply':
      return node.items.some((item) => vanishes(item, sample));
    case 'negate':
    case 'percent':
    case 'degree':
    case 'unit':
      return vanishes(node.of, sample);
    case 'divide':
      return vanishes(node.top, sample);
    case 'power':
      return vanishes(node.base, sample);
    case 'call':
      return (
        size(node) <= noise &&
        (node.args.some((arg) => vanishes(arg, sample)) || node.args.some((arg) => size(arg) > 0.1))
      );
    default:
      return false;
  }
}

function infinite(node: Node): number {
  if (node.k === 'constant') return node.name === 'infinity' ? 1 : 0;
  return node.k === 'negate' ? -infinite(node.of) : 0;
}

/** Fixed points: whole ones first, which are cheap and decide most (parity, exponents), then irregular rationals. */
const wholePoints: readonly (readonly number[])[] = [
  [7, 12, 19, 29, 41, 55, 73, 95],
  [10, 17, 23, 34, 47, 61, 83, 107],
  [-5, -8, -13, -18, -27, -37, -46, -59],
  [24, 37, 53, 68, 87, 101, 119, 139],
];
const rationalPoints: readonly (readonly [bigint, bigint])[] = [
  [1009n, 613n], [2287n, 857n], [577n, 1427n], [3571n, 941n], [1999n, 2203n], [4409n, 1831n], [887n, 389n], [7919n, 3163n],
  [6151n, 2741n], [467n, 1231n], [5813n, 4021n], [719n, 283n], [8831n, 6007n], [2683n, 1097n],
]; // prettier-ignore
const rounds = 10;
const enough = 4;
/** These are special at whole numbers. */
const stepped = new Set(['floor', 'ceil', 'gcd', 'lcm']);

function point(symbol: number, round: number): Rational {
  const whole = wholePoints[round];
  if (whole !== undefined) return integer(whole[symbol % 8]! + 100 * (symbol >> 3) * Math.sign(whole[0]!));
  const [top, bottom] = rationalPoints[(symbol * 5 + round * 3) % rationalPoints.length]!;
  const value = { top: top + BigInt(symbol) * 2n * bottom, bottom };
  return round % 3 === 1 ? negate(value) : value;
}

function formulaEqual(a: Node, b: Node, symbols: readonly string[]): How {
  let [exact, sampled] = [0, 0];
  const steps = [a, b].some((node) => someNode(node, (n) => n.k === 'call' && stepped.has(n.name)));
  for (let round = 0; round < rounds; round += 1) {
    const at = new Map(symbols.map((name, i) => [name, point(i, round)] as const));
    const tried = round < wholePoints.length || exact > 0;
    const [x, y] = tried ? [evaluateExact(a, at), evaluateExact(b, at)] : [null, null];
    if (x !== null && y !== null) {
      if (!equalRational(x, y)) return null;
      exact += 1;
      if (exact >= enough + (steps ? 2 : 0)) return 'rational';
      continue;
    }
    const agree = sampleAgrees(a, b, at);
    if (agree === false) return null;
    if (agree === true) sampled += 1;
  }
  return exact + sampled >= enough ? 'sampled' : null;
}

/** Null where either side has no value at the point, or is not real at negative values (branch cuts differ there). */
function sampleAgrees(a: Node, b: Node, at: ReadonlyMap<string, Rational>): boolean | null {
  const symbols = new Map([...at].map(([name, value]) => [name, toNumber(value)]));
  const negative = [...symbols.values()].some((value) => value < 0);
  let known: boolean | null = null;
  for (const logBase of logBases(a, b)) {
    const [u, v] = [evaluateNumeric(a, { symbols, logBase }), evaluateNumeric(b, { symbols, logBase })];
    if (!hasValue(u) || !hasValue(v) || (negative && (u.im !== 0 || v.im !== 0))) continue;
    const scale = Math.max(magnitude(u), magnitude(v));
    if (magnitude(minus(u, v)) <= 1e-9 * scale + 1e-13) return true;
    known = false;
  }
  return known;
}

/** a / b as one constant at every sample point: two equations then say the same. Zero never counts. Sign or null. */
export function constantRatio(a: Node, b: Node): 1 | -1 | null {
  const symbols = [...new Set([...symbolsOf(a), ...symbolsOf(b)])];
  if (symbols.length === 0) return null;
  let first: Rational | null = null;
  let found: number | null = null;
  let count = 0;
  for (let round = 0; round < rounds; round += 1) {
    const at = new Map(symbols.map((name, i) => [name, point(i, round)] as const));
    const [x, y] = [evaluateExact(a, at), evaluateExact(b, at)];
    if (x !== null && y !== null) {
      const quotient = x.top === 0n || y.top === 0n ? null : divide(x, y);
      if (quotient === null || (first !== null && !equalRational(first, quotient))) return null;
      first = quotient;
      count += 1;
      continue;
    }
    const sample = { symbols: new Map([...at].map(([name, value]) => [name, toNumber(value)])), logBase: 10 };
    const [u, v] = [evaluateNumeric(a, sample), evaluateNumeric(b, sample)];
    if (!hasValue(u) || !hasValue(v) || u.im !== 0 || v.im !== 0) continue;
    if (u.re === 0 || v.re === 0) return null;
    if (found !== null && Math.abs(u.re / v.re - found) > 1e-9 * Math.abs(found)) return null;
    found = u.re / v.re;
    count += 1;
  }
  if (count < 3) return null;
  return (first !== null ? toNumber(first) : found!) > 0 ? 1 : -1;
}
