/**
 * Whether a read answer matches a read gold. Asymmetric as a grader is: the gold's form decides what counts (a bare gold
 * accepts `x = 5`; an equation as gold does not accept its right side alone; a solved gold wants a solved answer).
 */
import { isScalar, symbolsOf } from '../expression.ts';
import type { Node } from '../expression.ts';
import { scalarEqual } from '../value/scalar-equal.ts';
import { isCollection, sameCollection, unordered } from './collections.ts';
import { matrixValue, unitVectorRows } from './matrices.ts';
import type { Rows } from './matrices.ts';
import { sameAngle, sameBased, samePercent, sameQuantity, sameRatio } from './quantities.ts';
import { isSolved, realSet, sameRealSet } from './real-set.ts';
import { isAssignment, isEquation, sameEquations, sameInequalities, valuesOf } from './relations.ts';
import { expandSigns } from './signs.ts';

const comparisonLimit = 4000;
type Go = (gold: Node, answer: Node) => string | null;

/** The rule that matched, or null. Bounded: at most `comparisonLimit` comparisons of parts. */
export function sameAnswer(gold: Node, answer: Node): string | null {
  let left = comparisonLimit;
  const go: Go = (g, a) => ((left -= 1) < 0 ? null : same(g, a, go));
  return go(expandSigns(gold), expandSigns(answer));
}

function same(g: Node, a: Node, go: Go): string | null {
  if (isMembership(g) || isMembership(a)) return go(stripMembership(g), stripMembership(a));
  if (g.k === 'relation' || a.k === 'relation' || isRegion(g) || isRegion(a) || isSetLike(g) || isSetLike(a)) {
    const found = sameStatement(g, a, go);
    if (found !== undefined) return found;
  }
  if (g.k === 'unit' || a.k === 'unit') return sameQuantity(g, a, go);
  if (g.k === 'percent' || a.k === 'percent') return samePercent(g, a, go);
  if (g.k === 'degree' || a.k === 'degree') return sameAngle(g, a, go);
  if (g.k === 'matrix' || a.k === 'matrix') return sameRows(rowsOf(g), rowsOf(a), go);
  if (g.k === 'group' && g.items.length > 1 && isScalar(a) && unitVectorRows(a) !== null)
    return sameRows(rowsOf(g), rowsOf(a), go);
  if (g.k === 'ratio' && a.k === 'ratio') return sameRatio(g, a, go);
  if (a.k === 'ratio' && g.k === 'number' && g.value.bottom === 1n) return null;
  if (isCollection(g) || isCollection(a)) return sameCollection(g, a, (x, y) => go(x, y) !== null);
  if (g.k === 'named' || a.k === 'named') return g.k === 'named' && a.k === 'named' && g.name === a.name ? 'set' : null;
  if (g.k === 'text' || a.k === 'text')
    return g.k === 'text' && a.k === 'text' && g.text === a.text && g.text !== '' ? 'text' : null;
  if (g.k === 'based' || a.k === 'based') return sameBased(g, a);
  if (isBuilder(g) && isBuilder(a)) return g.args.every((arg, i) => go(arg, a.args[i]!) !== null) ? 'set' : null;
  return scalarEqual(g, a);
}

type Builder = Node & { k: 'call' };
const isBuilder = (node: Node): node is Builder => node.k === 'call' && node.name === 'builder';
const isSetLike = (node: Node) => node.k === 'setOp' || node.k === 'named';

/** Equations, inequalities and regions; undefined where both may still agree as plain values. */
function sameStatement(g: Node, a: Node, go: Go): string | null | undefined {
  if (isEquation(g) && isEquation(a)) return sameEquations(g, a, go);
  if (isEquation(a) && g.k !== 'relation') {
    if (isSystem(g)) return systemOf(a, g, go);
    return firstMatch(answerValues(a), (value) => go(g, value));
  }
  if (isAssignment(g) && a.k !== 'relation') {
    if (isSystem(a)) return systemOf(g, a, (x, y) => go(y, x));
    return firstMatch(valuesOf(g), (value) => go(value, a));
  }
  const found = sameRegion(g, a);
  return found !== null || g.k === 'relation' || a.k === 'relation' ? found : undefined;
}

const isSystem = (node: Node): node is Node & { k: 'list' } =>
  node.k === 'list' && node.items.every((item) => item.k === 'relation');

/** `(a, b) = (3, 4)` against `a = 3, b = 4`, one by one. */
function systemOf(tuple: Node & { k: 'relation' }, system: Node & { k: 'list' }, go: Go): string | null {
  const [names, values] = [tuple.sides[0]!, tuple.sides[tuple.sides.length - 1]!];
  if (names.k !== 'group' || values.k !== 'group' || names.items.length !== values.items.length) return null;
  const items = names.items.map((name, i): Node => ({ k: 'relation', sides: [name, values.items[i]!], ops: ['='] }));
  return unordered(system.items, items, (x, y) => go(x, y) !== null) ? 'equation' : null;
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
  if (x !== null && y !== null) return sameRealSet(x, y) && (isSolved(a) || !isSolved(g)) ? 'interval' : null;
  if (g.k === 'setOp' && a.k === 'setOp' && g.op === a.op) {
    const straight = sameAnswer(g.left, a.left) !== null && sameAnswer(g.right, a.right) !== null;
    const crossed = g.op !== 'minus' && sameAnswer(g.left, a.right) !== null && sameAnswer(g.right, a.left) !== null;
    return straight || crossed ? 'set' : null;
  }
  if (g.k === 'list' && a.k === 'list' && isRegion(g) && isRegion(a))
    return unordered(g.items, a.items, (p, q) => sameRegion(p, q) !== null) ? 'inequality' : null;
  return null;
}

const rowsOf = (node: Node) => matrixValue(node) ?? unitVectorRows(node);

function sameRows(x: Rows | null, y: Rows | null, go: Go): string | null {
  if (x === null || y === null || x.length !== y.length) return null;
  const equal = x.every(
    (row, i) => row.length === y[i]!.length && row.every((cell, j) => go(cell, y[i]![j]!) !== null),
  );
  return equal ? 'matrix' : null;
}
