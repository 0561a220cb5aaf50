/**
 * Sets of reals as intervals and points, so that an inequality, an interval, a union and `x ≠ 2` can be compared. Ends are
 * formulas, ordered by their value. Null means "not a set of reals that this can read".
 */
import { evaluateExact } from '../value/evaluate-exact.ts';
import { evaluateNumeric } from '../value/evaluate-numeric.ts';
import { children, symbolsOf } from '../expression.ts';
import type { Node, Relation } from '../expression.ts';
import { add, divide, integer, multiply, negate } from '../value/rational.ts';
import { scalarEqual } from '../value/scalar-equal.ts';

interface Piece {
  low: Node;
  high: Node;
  from: number;
  to: number;
  lowOpen: boolean;
  highOpen: boolean;
}

const infinity: Node = { k: 'constant', name: 'infinity' };
const minusInfinity: Node = { k: 'negate', of: infinity };

/** Pieces in order, merged where they touch; null where the node is no set of reals. */
export function realSet(node: Node): Piece[] | null {
  const pieces = read(node);
  return pieces === null ? null : tidy(pieces);
}

/**
 * Whether every inequality in the node is solved: names alone on one side, no names on the other. An answer that is not
 * may only repeat the problem.
 */
export function isSolved(node: Node): boolean {
  if (node.k !== 'relation') return children(node).every(isSolved);
  return node.ops.every((op) => op === 'in') || node.sides.every((side) => isBare(side) || symbolsOf(side).size === 0);
}

/** A name, its opposite or its absolute value. */
const isBare = (node: Node): boolean =>
  isName(node) ||
  (node.k === 'negate' && isName(node.of)) ||
  (node.k === 'call' && node.name === 'abs' && isName(node.args[0]!));

export function sameRealSet(a: readonly Piece[], b: readonly Piece[]): boolean {
  return (
    a.length === b.length &&
    a.every((x, i) => {
      const y = b[i]!;
      const open = x.lowOpen === y.lowOpen && x.highOpen === y.highOpen;
      return open && scalarEqual(x.low, y.low) !== null && scalarEqual(x.high, y.high) !== null;
    })
  );
}

function piece(low: Node, high: Node, lowOpen: boolean, highOpen: boolean): Piece | null {
  const [from, to] = [valueOf(low), valueOf(high)];
  if (Number.isNaN(from) || Number.isNaN(to)) return null;
  return { low, high, from, to, lowOpen: lowOpen || from === -Infinity, highOpen: highOpen || to === Infinity };
}

function valueOf(node: Node): number {
  if (node.k === 'constant' && node.name === 'infinity') return Infinity;
  if (node.k === 'negate') return -valueOf(node.of);
  const value = evaluateNumeric(node, { symbols: new Map(), logBase: 10 });
  return value.im === 0 ? value.re : NaN;
}

const one = (p: Piece | null) => (p === null ? null : [p]);
const all = (): Piece[] => [piece(minusInfinity, infinity, true, true)!];

function read(node: Node): Piece[] | null {
  switch (node.k) {
    case 'named':
      return node.name === 'R' ? all() : node.name === 'empty' ? [] : null;
    case 'group':
      if (node.items.length !== 2) return null;
      return one(piece(node.items[0]!, node.items[1]!, node.open === '(', node.close === ')'));
    case 'set':
      return collect(node.items.map((item) => one(piece(item, item, false, false))));
    case 'setOp':
      return combine(node.op, read(node.left), read(node.right));
    case 'relation':
      return fromRelation(node.sides, node.ops);
    case 'list':
      return fromList(node);
    case 'add':
      return difference(node.items);
    default:
      return null;
  }
}

/** `\mathbb{R} - \{2\}`: a minus between sets. */
function difference([first, ...rest]: readonly Node[]): Piece[] | null {
  if (first === undefined || !isSet(first)) return null;
  return rest.reduce<Piece[] | null>(
    (set, item) => (item.k === 'negate' && isSet(item.of) ? combine('minus', set, read(item.of)) : null),
    read(first),
  );
}

const isSet = (node: Node) => node.k === 'named' || node.k === 'set' || (node.k === 'group' && node.items.length === 2);

function collect(parts: readonly (Piece[] | null)[]): Piece[] | null {
  return parts.some((part) => part === null) ? null : parts.flatMap((part) => part!);
}

function combine(op: 'union' | 'intersection' | 'minus', a: Piece[] | null, b: Piece[] | null): Piece[] | null {
  if (a === null || b === null) return null;
  if (op === 'union') return [...a, ...b];
  return op === 'intersection' ? intersect(a, b) : intersect(a, complement(b));
}

/** `x < 1 or x > 3` is a union; `x > 1 and x < 3` an intersection; a comma joins exclusions and otherwise unites what is apart. */
function fromList(node: Node & { k: 'list' }): Piece[] | null {
  if (!node.items.some((item) => item.k === 'relation' && item.ops.every((op) => op !== '='))) {
    if (node.joiner === ',' || !node.items.every((item) => item.k === 'group')) return null;
  }
  const sets = node.items.map((item) => (item.k === 'relation' || item.k === 'group' ? read(item) : null));
  if (sets.some((set) => set === null)) return null;
  const exclusions = node.items.some((item) => item.k === 'relation' && item.ops.includes('!='));
  if ((node.joiner === 'and' && node.items.every((item) => item.k === 'relation')) || exclusions) {
    const meet = sets.reduce((a, b) => intersect(a!, b!))!;
    return meet.length === 0 && !exclusions ? collect(sets) : meet;
  }
  const union = collect(sets);
  const overlap = union !== null && tidy(union).length < union.length;
  return overlap && node.joiner === ',' ? null : union;
}

function fromRelation(sides: readonly Node[], ops: readonly Relation[]): Piece[] | null {
  if (ops.length === 1 && ops[0] === 'in') return read(sides[1]!);
  let set: Piece[] | null = null;
  for (let i = 0; i < ops.length; i += 1) {
    const part = fromInequality(sides[i]!, ops[i]!, sides[i + 1]!);
    if (part === null) return null;
    set = set === null ? part : intersect(set, part);
  }
  return set;
}

const flipped: Partial<Record<Relation, Relation>> = {
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<=',
  '!=': '!=',
  '=': '=',
};

function fromInequality(left: Node, op: Relation, right: Node): Piece[] | null {
  if (!(op in flipped)) return null;
  if (symbolsOf(right).size > 0 && symbolsOf(left).size === 0) return fromInequality(right, flipped[op]!, left);
  if (symbolsOf(right).size > 0 || symbolsOf(left).size === 0) return null;
  const solved = isName(left) ? { bound: right, flip: false } : solveLinear(left, right);
  if (solved === null) return absoluteValue(left, op, right);
  return half(solved.flip ? flipped[op]! : op, solved.bound);
}

/** A lone symbol, or a named value such as f(x). */
const isName = (node: Node): boolean =>
  node.k === 'symbol' ||
  (node.k === 'multiply' &&
    node.items.every((item) => isName(item) || (item.k === 'group' && item.items.every(isName))));

function half(op: Relation, bound: Node): Piece[] | null {
  switch (op) {
    case '<':
    case '<=':
      return one(piece(minusInfinity, bound, true, op === '<'));
    case '>':
    case '>=':
      return one(piece(bound, infinity, op === '>', true));
    case '!=':
      return collect([half('<', bound), half('>', bound)]);
    case '=':
      return one(piece(bound, bound, false, false));
    default:
      return null;
  }
}

/** a·x + b against a number, exact coefficients: the bound, and whether the sign turns. */
function solveLinear(left: Node, right: Node): { bound: Node; flip: boolean } | null {
  const names = [...symbolsOf(left)];
  const target = evaluateExact(right);
  if (names.length !== 1 || target === null) return null;
  const at = (x: number) => evaluateExact(left, new Map([[names[0]!, integer(x)]]));
  const [f0, f1, f2] = [at(0), at(1), at(-3)];
  if (f0 === null || f1 === null || f2 === null) return null;
  const slope = add(f1, negate(f0));
  const second = slope === null ? null : add(f0, multiply(slope, integer(-3))!);
  const f5 = at(5);
  if (slope === null || second === null || f5 === null || slope.top === 0n) return null;
  const fifth = add(f0, multiply(slope, integer(5))!);
  if (
    second.top * f2.bottom !== f2.top * second.bottom ||
    fifth === null ||
    fifth.top * f5.bottom !== f5.top * fifth.bottom
  )
    return null;
  const rest = add(target, negate(f0));
  const bound = rest === null ? null : divide(rest, slope);
  return bound === null
    ? null
    : { bound: { k: 'number', value: bound, places: null, digits: 1 }, flip: slope.top < 0n };
}

/** |x| against a number. */
function absoluteValue(left: Node, op: Relation, right: Node): Piece[] | null {
  if (left.k !== 'call' || left.name !== 'abs' || !isName(left.args[0]!) || !(valueOf(right) > 0)) return null;
  const opposite: Node = { k: 'negate', of: right };
  if (op === '<' || op === '<=') return one(piece(opposite, right, op === '<', op === '<'));
  if (op === '=') return collect([half('=', opposite), half('=', right)]);
  if (op === '>' || op === '>=') return collect([half(op === '>' ? '<' : '<=', opposite), half(op, right)]);
  return null;
}

function intersect(a: readonly Piece[], b: readonly Piece[]): Piece[] {
  const pieces: Piece[] = [];
  for (const x of a) {
    for (const y of b) {
      const lower = x.from > y.from || (x.from === y.from && x.lowOpen) ? x : y;
      const upper = x.to < y.to || (x.to === y.to && x.highOpen) ? x : y;
      const empty = lower.from > upper.to || (lower.from === upper.to && (lower.lowOpen || upper.highOpen));
      if (!empty) {
        const { low, from, lowOpen } = lower;
        const { high, to, highOpen } = upper;
        pieces.push({ low, from, lowOpen, high, to, highOpen });
      }
    }
  }
  return pieces;
}

function complement(set: readonly Piece[]): Piece[] {
  return tidy(set).reduce<Piece[]>((rest, p) => {
    const below = piece(minusInfinity, p.low, true, !p.lowOpen);
    const above = piece(p.high, infinity, !p.highOpen, true);
    return intersect(
      rest,
      [below, above].filter((part): part is Piece => part !== null && part.from < part.to),
    );
  }, all());
}

function tidy(pieces: readonly Piece[]): Piece[] {
  const sorted = [...pieces].sort((x, y) => x.from - y.from || Number(x.lowOpen) - Number(y.lowOpen) || x.to - y.to);
  const merged: Piece[] = [];
  for (const next of sorted) {
    const last = merged[merged.length - 1];
    const touches =
      last !== undefined && (next.from < last.to || (next.from === last.to && !(next.lowOpen && last.highOpen)));
    if (!touches) merged.push({ ...next });
    else if (next.to > last.to || (next.to === last.to && !next.highOpen)) {
      merged[merged.length - 1] = { ...last, high: next.high, to: next.to, highOpen: next.highOpen };
    }
  }
  return merged;
}
