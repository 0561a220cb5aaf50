/** Matrices and vectors as rows of formulas, with the arithmetic that answers leave undone. */
import { integer } from '../value/rational.ts';
import type { Node } from '../expression.ts';

export type Rows = readonly (readonly Node[])[];
const mostProducts = 500;
const whole = (value: number): Node => ({ k: 'number', value: integer(value), places: null, digits: 1 });
const [zero, oneNode] = [whole(0), whole(1)];
const minusOne: Node = { k: 'negate', of: oneNode };

/** Rows of a matrix, a column for a tuple, rows for a tuple of tuples; sums, products and multiples of these. */
export function matrixValue(node: Node): Rows | null {
  switch (node.k) {
    case 'matrix':
      return node.rows;
    case 'group':
      return groupRows(node.items);
    case 'negate':
      return scaled(minusOne, matrixValue(node.of));
    case 'add':
      return node.items.map(matrixValue).reduce((x, y) => sumOf(x, y));
    case 'multiply':
      return productOf(node.items);
    case 'divide': {
      const rows = matrixValue(node.top);
      return rows?.map((row) => row.map((top): Node => ({ k: 'divide', top, bottom: node.bottom }))) ?? null;
    }
    case 'call':
      return node.name === 'binom' ? node.args.map((arg) => [arg]) : null;
    default:
      return null;
  }
}

/** `-7i + 4j`: a sum over unit vectors as a column; null unless `j` is among them (`3 + 4i` is a number). */
export function unitVectorRows(node: Node): Rows | null {
  const terms = node.k === 'add' ? node.items : [node];
  const parts = terms.map(basisPart);
  if (parts.some((part) => part === null) || !parts.some((part) => part!.axis === 1)) return null;
  const size = parts.some((part) => part!.axis === 2) ? 3 : 2;
  return Array.from({ length: size }, (_, axis) => {
    const here = parts.filter((part) => part!.axis === axis).map((part) => part!.factor);
    return [here.length === 1 ? here[0]! : { k: 'add', items: [zero, ...here] }];
  });
}

const axes = ['i', 'j', 'k'];
const axisOf = (node: Node) => (node.k === 'symbol' || node.k === 'constant' ? axes.indexOf(node.name) : -1);

function basisPart(node: Node): { axis: number; factor: Node } | null {
  if (node.k === 'negate') {
    const part = basisPart(node.of);
    return part === null ? null : { ...part, factor: { k: 'negate', of: part.factor } };
  }
  const items = node.k === 'multiply' ? node.items : [node];
  const found = items.filter((item) => axisOf(item) >= 0);
  if (found.length !== 1) return null;
  return {
    axis: axisOf(found[0]!),
    factor: { k: 'multiply', items: [oneNode, ...items.filter((i) => i !== found[0])] },
  };
}

function groupRows(items: readonly Node[]): Rows | null {
  if (items.length === 1) return matrixValue(items[0]!);
  const rows = items.map((item) => (item.k === 'group' && item.items.length > 1 ? item.items : null));
  if (rows.every((row) => row !== null)) return rows.every((row) => row.length === rows[0]!.length) ? rows : null;
  return items.map((item) => [item]);
}

function productOf(items: readonly Node[]): Rows | null {
  let [rows, factor] = [null as Rows | null, null as Node | null];
  for (const item of items) {
    const right = matrixValue(item);
    if (right === null) factor = factor === null ? item : { k: 'multiply', items: [factor, item] };
    else if (rows === null) rows = right;
    else if ((rows = timesRows(rows, right)) === null) return null;
  }
  return factor === null ? rows : scaled(factor, rows);
}

function scaled(by: Node, rows: Rows | null): Rows | null {
  return rows?.map((row) => row.map((cell): Node => ({ k: 'multiply', items: [by, cell] }))) ?? null;
}

function sumOf(x: Rows | null, y: Rows | null): Rows | null {
  if (x === null || y === null || x.length !== y.length || x[0]!.length !== y[0]!.length) return null;
  return x.map((row, i) => row.map((cell, j): Node => ({ k: 'add', items: [cell, y[i]![j]!] })));
}

function timesRows(x: Rows, y: Rows): Rows | null {
  if (x[0]!.length !== y.length || x.length * y.length * y[0]!.length > mostProducts) return null;
  return x.map((row) =>
    y[0]!.map((_, j): Node => ({
      k: 'add',
      items: row.map((cell, i): Node => ({ k: 'multiply', items: [cell, y[i]![j]!] })),
    })),
  );
}
