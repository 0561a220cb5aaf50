/** Whether two relations say the same: assignments by name and value, equations and inequalities up to a factor. */
import { rename, symbolsOf } from '../expression.ts';
import type { Node, Relation } from '../expression.ts';
import { constantRatio, scalarEqual } from '../value/scalar-equal.ts';

type Chain = Node & { k: 'relation' };
type Same = (a: Node, b: Node) => string | null;

export const isEquation = (node: Node): node is Chain =>
  node.k === 'relation' && node.ops.every((op) => op === '=' || op === '~' || op === 'mod');

/** Left side made of names only (`x`, `f(x)`, `AB`, `(p, q)`, `NO/BO`): the right side is then its value. */
export function isAssignment(node: Node): node is Chain {
  return isEquation(node) && isNaming(node.sides[0]!);
}

/** A name on one side, a value without names on the other. */
function isSolved(chain: Chain): boolean {
  const [left, right] = chain.sides as [Node, Node];
  const isBare = (node: Node) => (node.k === 'negate' ? node.of : node).k === 'symbol';
  const solved = (name: Node, value: Node) => isBare(name) && symbolsOf(value).size === 0;
  return solved(left, right) || solved(right, left);
}

function isNaming(node: Node): boolean {
  switch (node.k) {
    case 'symbol':
    case 'text':
      return true;
    case 'constant':
      return node.name === 'e' || node.name === 'i';
    case 'multiply':
    case 'group':
    case 'ratio':
      return node.items.every((item, i) => isNaming(item) || (i > 0 && node.k === 'multiply' && isPlainNumber(item)));
    case 'divide':
      return isNaming(node.top) && isNaming(node.bottom);
    case 'call':
      return node.args.every(isNaming);
    case 'unit':
      return isNaming(node.of);
    default:
      return false;
  }
}

/** In f(2) the argument is a number. */
const isPlainNumber = (node: Node) => node.k === 'number' || (node.k === 'negate' && node.of.k === 'number');

/** The values a chain may stand for: its last side, and around `≈` each exact side too. */
export function valuesOf(chain: Chain): Node[] {
  const last = chain.sides[chain.sides.length - 1]!;
  if (!chain.ops.includes('~')) return [last];
  const first = chain.ops.indexOf('~');
  const sides = isNaming(chain.sides[0]!) && first === 0 ? chain.sides.slice(1) : chain.sides.slice(first);
  return sides.filter((side, i) => i > 0 || !isNaming(side) || sides.length === 1);
}

export function sameEquations(a: Chain, b: Chain, same: Same): string | null {
  if (isAssignment(a) && isAssignment(b)) {
    const renamed = sameName(a.sides[0]!, b.sides[0]!, same);
    if (renamed !== null) {
      for (const x of valuesOf(a)) for (const y of valuesOf(b)) if (same(x, renamed(y)) !== null) return 'equation';
      return null;
    }
  }
  const sides = a.sides.length === b.sides.length && a.sides.every((side, i) => same(side, b.sides[i]!) !== null);
  if (sides) return 'equation';
  if (a.sides.length !== 2 || b.sides.length !== 2 || (isSolved(a) && !isSolved(b))) return null;
  return constantRatio(difference(a), difference(b)) === null ? null : 'equation';
}

/** One text for one tree. */
const written = (node: Node) =>
  JSON.stringify(node, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));

/** How to rewrite b's value in a's names, or null where the names differ. f(x) and f(t) differ by their argument only. */
function sameName(a: Node, b: Node, same: Same): ((node: Node) => Node) | null {
  if (written(a) === written(b) || same(a, b) !== null) return (node) => node;
  const [f, g] = [application(a), application(b)];
  if (f === null || g === null) {
    const [named, bare] = f === null ? [g, a] : [f, b];
    return named !== null && bare.k === 'symbol' && 'yfgh'.includes(bare.name) && 'xtn'.includes(named.argument)
      ? (node) => node
      : null;
  }
  return f.name === g.name ? (node) => rename(node, g.argument, f.argument) : null;
}

function application(node: Node): { name: string; argument: string } | null {
  if (node.k !== 'multiply' || node.items.length !== 2) return null;
  const [name, group] = node.items as [Node, Node];
  const argument = group.k === 'group' && group.items.length === 1 ? group.items[0]! : group;
  return name.k === 'symbol' && argument.k === 'symbol' && group.k === 'group'
    ? { name: name.name, argument: argument.name }
    : null;
}

const difference = (chain: Chain): Node => ({
  k: 'add',
  items: [chain.sides[0]!, { k: 'negate', of: chain.sides[1]! }],
});

const turned: Partial<Record<Relation, Relation>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** Inequalities in any symbols (a solved one wants a solved one): same up to a positive factor, or turned with a negative one; chains side by side. */
export function sameInequalities(a: Chain, b: Chain): boolean {
  if (a.ops.length !== b.ops.length) return false;
  if (a.ops.length > 1) {
    const straight =
      a.ops.every((op, i) => op === b.ops[i]) && a.sides.every((side, i) => scalarEqual(side, b.sides[i]!) !== null);
    const [ops, sides] = [[...b.ops].reverse().map((op) => turned[op] ?? op), [...b.sides].reverse()];
    return (
      straight ||
      (a.ops.every((op, i) => op === ops[i]) && a.sides.every((side, i) => scalarEqual(side, sides[i]!) !== null))
    );
  }
  const [p, q] = [a.ops[0]!, b.ops[0]!];
  if (symbolsOf(a).size === 0 && symbolsOf(b).size === 0) return false;
  if (isSolved(a) && !isSolved(b)) return false;
  const sign = constantRatio(difference(a), difference(b));
  return sign === null ? false : sign > 0 ? p === q : (turned[p] ?? p) === q;
}
