/**
 * Residue of a formula modulo a large prime: the proof of equality for numbers too large to write out
 * (2^{100000} - 1 against 4^{50000} - 1). Equal residues modulo two 61-bit primes: wrong with chance about 2^-120.
 */
import type { Node } from '../expression.ts';
import { evaluateExact } from './evaluate-exact.ts';
import { isInteger } from './rational.ts';

export const primes = [2305843009213693951n, 2305843009213693921n] as const;
const largestProduct = 3000n;

const known = new WeakMap<Node, Map<bigint, bigint | null>>();

/** Null where the value is not rational, or its bottom vanishes modulo p. */
export function evaluateModular(node: Node, p: bigint): bigint | null {
  const residues = known.get(node) ?? new Map<bigint, bigint | null>();
  if (!residues.has(p)) residues.set(p, evaluate(node, p));
  known.set(node, residues);
  return residues.get(p)!;
}

function evaluate(node: Node, p: bigint): bigint | null {
  const value = (child: Node) => evaluateModular(child, p);
  switch (node.k) {
    case 'number':
      return quotient(node.value.top, node.value.bottom, p);
    case 'add':
      return fold(node.items.map(value), 0n, (x, y) => (x + y) % p);
    case 'multiply':
      return fold(node.items.map(value), 1n, (x, y) => (x * y) % p);
    case 'negate': {
      const x = value(node.of);
      return x === null ? null : (p - x) % p;
    }
    case 'unit':
      return value(node.of);
    case 'divide': {
      const [top, bottom] = [value(node.top), value(node.bottom)];
      return top === null || bottom === null ? null : quotient(top, bottom, p);
    }
    case 'power': {
      const [base, exponent] = [value(node.base), evaluateExact(node.exponent)];
      if (base === null || exponent === null || !isInteger(exponent)) return null;
      if (exponent.top >= 0n) return powerMod(base, exponent.top, p);
      return base === 0n ? null : powerMod(inverse(base, p), -exponent.top, p);
    }
    case 'call':
      return callOf(node, p);
    default:
      return null;
  }
}

function callOf(node: Node & { k: 'call' }, p: bigint): bigint | null {
  const args = node.args.map((arg) => evaluateExact(arg));
  const [n, k] = args;
  if (n === null || n === undefined || !isInteger(n) || n.top < 0n || n.top > largestProduct) return null;
  if (node.name === 'factorial') return factorial(n.top, p);
  if (node.name !== 'binom' || k === null || k === undefined || !isInteger(k) || k.top < 0n || k.top > n.top)
    return null;
  return quotient(factorial(n.top, p), (factorial(k.top, p) * factorial(n.top - k.top, p)) % p, p);
}

function factorial(n: bigint, p: bigint): bigint {
  let value = 1n;
  for (let i = 2n; i <= n; i += 1n) value = (value * i) % p;
  return value;
}

function fold(items: readonly (bigint | null)[], start: bigint, f: (x: bigint, y: bigint) => bigint): bigint | null {
  let value = start;
  for (const item of items) {
    if (item === null) return null;
    value = f(value, item);
  }
  return value;
}

function quotient(top: bigint, bottom: bigint, p: bigint): bigint | null {
  const b = ((bottom % p) + p) % p;
  return b === 0n ? null : ((((top % p) + p) % p) * inverse(b, p)) % p;
}

const inverse = (x: bigint, p: bigint) => powerMod(x, p - 2n, p);

function powerMod(base: bigint, exponent: bigint, p: bigint): bigint {
  let [value, square, rest] = [1n, base % p, exponent];
  for (; rest > 0n; rest >>= 1n) {
    if (rest & 1n) value = (value * square) % p;
    square = (square * square) % p;
  }
  return value;
}
