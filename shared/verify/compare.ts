/**
 * Whether a read answer matches a read gold. Asymmetric as a grader is: the gold's form decides what counts (a bare gold
 * accepts `x = 5`; an equation as gold does not accept its right side alone).
 */
import { someNode, mapChildren, isScalar, symbolsOf } from './expression.ts';
import type { Node } from './expression.ts';
import { evaluateExact } from './evaluate-exact.ts';
import { realSet, sameRealSet } from './real-set.ts';
import { isAssignment, isEquation, sameEquations, sameInequalities, valuesOf } from './relations.ts';
import { scalarEqual } from './scalar-equal.ts';
import { unitScale } from './units.ts';

const comparisonLimit = 4000;

/** The rule that matched, or null. Bounded: at most `comparisonLimit` comparisons of parts. */
export function sameAnswer(gold: Node, answer: Node): string | null {
  const left = { count: comparisonLimit };
  return same(expandSigns(gold), expandSigns(answer), left);
}

type Budget = { count: number };

function same(g: Node, a: Node, budget: Budget): string | null {
  if ((budget.count -= 1) < 0) return null;
  const go = (x: Node, y: Node) => same(x, y, budget);
  if (isMembership(g) || isMembership(a)) return go(stripMembership(g), stripMembership(a));
  if (isEquation(g) && isEquation(a)) {
    return sameEquations(g, a, go);
  }
  if (isEquation(a) && g.k !== 'relation') {
    if (g.k === 'list' && g.items.every((item) => item.k === 'relation')) return null;
    return firstMatch(answerValues(a), (value) => go(g, value));
  }
  if (isAssignment(g) && a.k !== 'relation') return firstMatch(valuesOf(g), (value) => go(value, a));
  if (
    g.k === 'relation' ||
    a.k === 'relation' ||
    g.k === 'setOp' ||
    a.k === 'setOp' ||
    g.k === 'named' ||
    a.k === 'named' ||
    isRegion(g) ||
    isRegion(a)
  ) {
    const found = sameRegion(g, a);
    if (found !== null || g.k === 'relation' || a.k === 'relation') return found;
  }
  if (g.k === 'unit' || a.k === 'unit') return sameQuantity(g, a, budget);
  if (g.k === 'percent' || a.k === 'percent') return samePercent(g, a, budget);
  if (g.k === 'degree' || a.k === 'degree') return sameAngle(g, a, budget);
  if (g.k === 'matrix' || a.k === 'matrix') return sameMatrix(g, a, budget);
  if (g.k === 'ratio' && a.k === 'ratio') return sameRatio(g, a, budget);
  if (isCollection(g) || isCollection(a)) return sameCollection(g, a, budget);
  if (g.k === 'named' || a.k === 'named') return g.k === 'named' && a.k === 'named' && g.name === a.name ? 'set' : null;
  if (g.k === 'text' || a.k === 'text')
    return g.k === 'text' && a.k === 'text' && g.text === a.text && g.text !== '' ? 'text' : null;
  return scalarEqual(g, a);
}

function firstMatch(values: readonly Node[], f: (value: Node) => string | null): string | null {
  for (const value of values) {
    const how = f(value);
    if (how !== null) return how;
  }
  return null;
}

/** What an answer's equation stands for: its value, or the number that stands left of a lone name (`5 = x`). */
function answerValues(chain: Node & { k: 'relation' }): Node[] {
  const last = chain.sides[chain.sides.length - 1]!;
  const first = chain.sides[0]!;
  return last.k === 'symbol' && symbolsOf(first).size === 0 ? [first, last] : valuesOf(chain);
}

const isMembership = (node: Node) => node.k === 'relation' && node.ops.length === 1 && node.ops[0] === 'in';
function stripMembership(node: Node): Node {
  if (node.k !== 'relation' || !isMembership(node)) return node;
  return node.sides[1]!;
}

/** A list that can only mean a region: of inequalities. */
const isRegion = (node: Node) =>
  node.k === 'list' &&
  node.items.every((item) => item.k === 'relation') &&
  node.items.some((item) => !isEquation(item));

function sameRegion(g: Node, a: Node): string | null {
  if (g.k === 'relation' && a.k === 'relation' && sameInequalities(g, a)) return 'inequality';
  const [x, y] = [realSet(g), realSet(a)];
  if (x !== null && y !== null) return sameRealSet(x, y) ? 'interval' : null;
  if (g.k === 'setOp' && a.k === 'setOp' && g.op === a.op) {
    const straight = sameAnswer(g.left, a.left) !== null && sameAnswer(g.right, a.right) !== null;
    const crossed = g.op !== 'minus' && sameAnswer(g.left, a.right) !== null && sameAnswer(g.right, a.left) !== null;
    return straight || crossed ? 'set' : null;
  }
  if (isRegion(g) && isRegion(a))
    return unordered(items(g)!, items(a)!, (p, q) => sameRegion(p, q) !== null) ? 'inequality' : null;
  return null;
}

/** Units are ignored unless both are of one family with different scale, or both are moduli. */
function sameQuantity(g: Node, a: Node, budget: Budget): string | null {
  const [p, q] = [g.k === 'unit' ? g.unit : null, a.k === 'unit' ? a.unit : null];
  const [x, y] = [g.k === 'unit' ? g.of : g, a.k === 'unit' ? a.of : a];
  if (p !== null && q !== null && p.startsWith('mod ') && q.startsWith('mod ') && p !== q) return null;
  const [u, v] = [p === null ? null : unitScale(p), q === null ? null : unitScale(q)];
  if (u !== null && v !== null && u.family === v.family && u.scale !== v.scale) {
    const [m, n] = [evaluateExact(x), evaluateExact(y)];
    if (m === null || n === null) return null;
    const [left, right] = [(Number(m.top) / Number(m.bottom)) * u.scale, (Number(n.top) / Number(n.bottom)) * v.scale];
    return Math.abs(left - right) <= 1e-12 * Math.abs(left) ? 'unit' : null;
  }
  return same(x, y, budget);
}

/** 28% is 28 as written in an answer to "what percent", and 0.28 as a number. */
function samePercent(g: Node, a: Node, budget: Budget): string | null {
  if (g.k === 'percent' && a.k === 'percent') return same(g.of, a.of, budget);
  const [x, y] = g.k === 'percent' ? [g, a] : [a as Node & { k: 'percent' }, g];
  if (!isScalar(y)) return null;
  return same(x.of, y, budget) ?? scalarEqual(x, y);
}

/** 90° is 90 with its sign left out, and π/2 where the other side is written with π. */
function sameAngle(g: Node, a: Node, budget: Budget): string | null {
  if (g.k === 'degree' && a.k === 'degree') return same(g.of, a.of, budget);
  const [x, y] = g.k === 'degree' ? [g, a] : [a as Node & { k: 'degree' }, g];
  if (someNode(y, (node) => node.k === 'constant' && node.name === 'pi')) return scalarEqual(x, y);
  return same(x.of, y, budget);
}

function sameMatrix(g: Node, a: Node, budget: Budget): string | null {
  const [x, y] = [matrixValue(g), matrixValue(a)];
  if (x === null || y === null || x.length !== y.length) return null;
  const equal = x.every(
    (row, i) => row.length === y[i]!.length && row.every((cell, j) => same(cell, y[i]![j]!, budget) !== null),
  );
  return equal ? 'matrix' : null;
}

/** Rows of a matrix, a column for a tuple, a number times a matrix, and sums and products of matrices. */
function matrixValue(node: Node): readonly (readonly Node[])[] | null {
  if (node.k === 'matrix') return node.rows;
  if (node.k === 'group')
    return node.items.length === 1 ? matrixValue(node.items[0]!) : node.items.map((item) => [item]);
  if (node.k === 'negate') return scale({ k: 'negate', of: unit }, matrixValue(node.of));
  if (node.k === 'add') return node.items.map(matrixValue).reduce((x, y) => zip(x, y));
  if (node.k === 'multiply') {
    return node.items
      .map((item) => matrixValue(item) ?? item)
      .reduce<Node | readonly (readonly Node[])[] | null>((x, y) => {
        if (x === null) return y;
        if (isRows(x)) return isRows(y) ? timesRows(x, y) : scale(y, x);
        return isRows(y) ? scale(x, y) : { k: 'multiply', items: [x, y] };
      }, null) as readonly (readonly Node[])[] | null;
  }
  if (node.k === 'divide') {
    const rows = matrixValue(node.top);
    return rows === null ? null : rows.map((row) => row.map((top) => ({ k: 'divide', top, bottom: node.bottom })));
  }
  return null;
}

const unit: Node = { k: 'number', value: { top: 1n, bottom: 1n }, places: null, digits: 1 };
const isRows = (x: Node | readonly (readonly Node[])[]): x is readonly (readonly Node[])[] => Array.isArray(x);
function scale(by: Node, rows: readonly (readonly Node[])[] | null): readonly (readonly Node[])[] | null {
  return rows === null ? null : rows.map((row) => row.map((cell): Node => ({ k: 'multiply', items: [by, cell] })));
}
type Rows = readonly (readonly Node[])[];
function zip(x: Rows | null, y: Rows | null): Rows | null {
  if (x === null || y === null || x.length !== y.length) return null;
  return x.map((row, i) => row.map((cell, j): Node => ({ k: 'add', items: [cell, y[i]![j] ?? cell] })));
}
function timesRows(x: Rows, y: Rows): Rows | null {
  if (x[0]!.length !== y.length || x.length * y.length * y[0]!.length > 500) return null;
  return x.map((row) =>
    y[0]!.map((_, j): Node => ({
      k: 'add',
      items: row.map((cell, i): Node => ({ k: 'multiply', items: [cell, y[i]![j]!] })),
    })),
  );
}

function sameRatio(g: Node & { k: 'ratio' }, a: Node & { k: 'ratio' }, budget: Budget): string | null {
  if (g.items.length !== a.items.length) return null;
  if (g.items.every((item, i) => same(item, a.items[i]!, budget) !== null)) return 'ratio';
  const part = (node: Node & { k: 'ratio' }, i: number): Node => ({
    k: 'divide',
    top: node.items[i]!,
    bottom: node.items[0]!,
  });
  if ([...g.items, ...a.items].some((item) => evaluateExact(item)?.top === 0n)) return null;
  return g.items.every((_, i) => i === 0 || scalarEqual(part(g, i), part(a, i)) !== null) ? 'ratio' : null;
}

const isCollection = (node: Node) =>
  node.k === 'list' || node.k === 'set' || (node.k === 'group' && node.items.length > 1);
function items(node: Node): readonly Node[] | null {
  return node.k === 'list' || node.k === 'set' || node.k === 'group' ? node.items : null;
}

/** Tuples keep their order; sets and bare lists do not; a tuple against a set or list goes by order. */
function sameCollection(g: Node, a: Node, budget: Budget): string | null {
  const go = (x: Node, y: Node) => same(x, y, budget) !== null;
  const [x, y] = [flat(g), flat(a)];
  if (g.k === 'group' && a.k === 'group') {
    if (x.length !== y.length || g.open !== a.open || g.close !== a.close) return null;
    return x.every((item, i) => go(item, y[i]!)) ? 'tuple' : null;
  }
  if (g.k === 'group' || a.k === 'group') {
    const group = g.k === 'group' ? g : (a as Node & { k: 'group' });
    const other = g.k === 'group' ? y : x;
    if (other.length === 1) return null;
    if (group.open !== group.close.replace(')', '(').replace(']', '[')) return null;
    if (x.length === y.length && x.every((item, i) => go(item, y[i]!))) return 'tuple';
    return group.open === '[' && unordered(x, y, go) ? 'list' : null;
  }
  if (x.length === 1 && y.length === 1) return go(x[0]!, y[0]!) ? 'set' : null;
  return unordered(x, y, go) ? 'list' : null;
}

/** Items with nested bare lists and sets opened, and repeats left out of sets. */
function flat(node: Node): readonly Node[] {
  const inner = items(node);
  if (inner === null) return [node];
  if (node.k === 'group') return inner;
  return inner.flatMap((item) => {
    if (item.k === 'list' || item.k === 'set') return flat(item);
    if (item.k === 'relation' && isAssignment(item)) {
      const last = item.sides[item.sides.length - 1]!;
      if (last.k === 'list' || last.k === 'set') return flat(last);
    }
    return [item];
  });
}

function unordered(x: readonly Node[], y: readonly Node[], equal: (a: Node, b: Node) => boolean): boolean {
  if (x.length !== y.length)
    return covers(x, y, equal) && covers(y, x, (a, b) => equal(b, a)) && x.length < 40 && y.length < 40;
  const rest = [...y];
  for (const item of x) {
    const at = rest.findIndex((other) => equal(item, other));
    if (at < 0) return false;
    rest.splice(at, 1);
  }
  return true;
}

/** Different lengths can still be one set where one side repeats an element (`1, 1, 2` and `1, 2`). */
function covers(x: readonly Node[], y: readonly Node[], equal: (a: Node, b: Node) => boolean): boolean {
  return x.every((item) => y.some((other) => equal(item, other)));
}

/** Every ± becomes two values: both signs move together within one item; ∓ moves against. */
function expandSigns(node: Node): Node {
  if (!someNode(node, (n) => n.k === 'plusMinus')) return node;
  if (isScalar(node) || node.k === 'plusMinus' || node.k === 'relation' || node.k === 'group') {
    return { k: 'list', joiner: 'or', items: [withSign(node, 1), withSign(node, -1)] };
  }
  return mapChildren(node, expandSigns);
}

function withSign(node: Node, sign: 1 | -1): Node {
  if (node.k !== 'plusMinus') return mapChildren(node, (child) => withSign(child, sign));
  const right = withSign(node.right, sign);
  const term: Node = node.sign * sign > 0 ? right : { k: 'negate', of: right };
  return node.left === null ? term : { k: 'add', items: [withSign(node.left, sign), term] };
}
