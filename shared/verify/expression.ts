/**
 * What an answer is once it is read: numbers and formulas, and the shapes around them (tuples, intervals, sets, lists,
 * matrices, relations, words). Knows neither LaTeX nor how to compare.
 */
import type { Rational } from './value/rational.ts';

export type Relation = '=' | '<' | '>' | '<=' | '>=' | '!=' | '~' | 'in' | 'mod';

export type Node =
  /** `places` counts the digits after the point of a decimal as written; null for a whole number. */
  | { k: 'number'; value: Rational; places: number | null; digits: number }
  | { k: 'symbol'; name: string }
  | { k: 'constant'; name: 'pi' | 'e' | 'i' | 'infinity' }
  | { k: 'add' | 'multiply'; items: readonly Node[] }
  | { k: 'negate' | 'percent' | 'degree'; of: Node }
  | { k: 'divide'; top: Node; bottom: Node }
  | { k: 'power'; base: Node; exponent: Node }
  | { k: 'call'; name: string; args: readonly Node[] }
  /** left ± right; `left` is null for a leading sign. `sign` is +1 for ±, -1 for ∓. */
  | { k: 'plusMinus'; sign: 1 | -1; left: Node | null; right: Node }
  | { k: 'unit'; of: Node; unit: string }
  /** A number written in a base: digits as written. */
  | { k: 'based'; digits: string; base: number }
  | { k: 'ratio'; items: readonly Node[] }
  /** `(a, b)`, `[a, b)`, …: a tuple, a point or an interval; what it is follows from what it is compared with. */
  | { k: 'group'; open: '(' | '['; close: ')' | ']'; items: readonly Node[] }
  | { k: 'set'; items: readonly Node[] }
  /** A bare list; `joiner` is how its parts were joined. */
  | { k: 'list'; joiner: ',' | 'or' | 'and'; items: readonly Node[] }
  | { k: 'matrix'; rows: readonly (readonly Node[])[] }
  | { k: 'relation'; sides: readonly Node[]; ops: readonly Relation[] }
  | { k: 'setOp'; op: 'union' | 'intersection' | 'minus'; left: Node; right: Node }
  | { k: 'named'; name: string }
  | { k: 'text'; text: string };

/** The nodes directly inside `node`. */
export function children(node: Node): readonly Node[] {
  switch (node.k) {
    case 'add':
    case 'multiply':
    case 'ratio':
    case 'group':
    case 'set':
    case 'list':
      return node.items;
    case 'negate':
    case 'percent':
    case 'degree':
    case 'unit':
      return [node.of];
    case 'divide':
      return [node.top, node.bottom];
    case 'power':
      return [node.base, node.exponent];
    case 'call':
      return node.args;
    case 'plusMinus':
      return node.left === null ? [node.right] : [node.left, node.right];
    case 'matrix':
      return node.rows.flat();
    case 'relation':
      return node.sides;
    case 'setOp':
      return [node.left, node.right];
    default:
      return [];
  }
}

/** The same node with each direct child replaced. */
export function mapChildren(node: Node, f: (child: Node) => Node): Node {
  switch (node.k) {
    case 'add':
    case 'multiply':
    case 'ratio':
    case 'group':
    case 'set':
    case 'list':
      return { ...node, items: node.items.map(f) };
    case 'negate':
    case 'percent':
    case 'degree':
    case 'unit':
      return { ...node, of: f(node.of) };
    case 'divide':
      return { ...node, top: f(node.top), bottom: f(node.bottom) };
    case 'power':
      return { ...node, base: f(node.base), exponent: f(node.exponent) };
    case 'call':
      return { ...node, args: node.args.map(f) };
    case 'plusMinus':
      return { ...node, left: node.left === null ? null : f(node.left), right: f(node.right) };
    case 'matrix':
      return { ...node, rows: node.rows.map((row) => row.map(f)) };
    case 'relation':
      return { ...node, sides: node.sides.map(f) };
    case 'setOp':
      return { ...node, left: f(node.left), right: f(node.right) };
    default:
      return node;
  }
}

/** Whether `test` holds for the node or anything inside it. */
export function someNode(node: Node, test: (node: Node) => boolean): boolean {
  return test(node) || children(node).some((child) => someNode(child, test));
}

export function symbolsOf(node: Node, into = new Set<string>()): Set<string> {
  if (node.k === 'symbol') into.add(node.name);
  for (const child of children(node)) symbolsOf(child, into);
  return into;
}

export function rename(node: Node, from: string, to: string): Node {
  return node.k === 'symbol' && node.name === from
    ? { k: 'symbol', name: to }
    : mapChildren(node, (c) => rename(c, from, to));
}

const structural = new Set([
  'group',
  'set',
  'list',
  'matrix',
  'relation',
  'setOp',
  'named',
  'text',
  'plusMinus',
  'ratio',
]);
/** A formula with one value: nothing structural at its top. */
export const isScalar = (node: Node) => !structural.has(node.k);
