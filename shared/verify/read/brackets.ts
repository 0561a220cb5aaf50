/** What stands in brackets: groups, sets and set builders, absolute values, matrices and `cases`. */
import type { Node } from '../expression.ts';
import { atEnd, attempt, closed, expect, isOp, scriptText, take } from './cursor.ts';
import type { Cursor } from './cursor.ts';

/** `{…}` in LaTeX only groups; with a top-level comma it is read as a set (`{1,2}` in plain text). */
export function parseBraces(c: Cursor): Node {
  if (take(c, '}')) return { k: 'text', text: '' };
  const node = closed(c, '}');
  return node.k === 'list' ? { k: 'set', items: node.items } : node;
}

export function parseSet(c: Cursor): Node {
  if (take(c, '\\}')) return { k: 'named', name: 'empty' };
  const built = attempt(c, () => setBuilder(c));
  if (built !== null) return built;
  const bars = c.bars;
  c.bars = 0;
  const node = closed(c, '\\}');
  c.bars = bars;
  if (node.k === 'relation' && node.ops[0] !== '=' && node.ops[0] !== 'in') return node;
  return { k: 'set', items: node.k === 'list' ? node.items : [node] };
}

/** `\{x : x > 3\}` is its condition, within its domain; `\{2k : k \in Z\}` keeps both parts. Null for a plain set. */
function setBuilder(c: Cursor): Node | null {
  const bars = c.bars;
  c.bars = 1;
  const head = c.rules.setOperations(c);
  const domain = take(c, 'in') ? c.rules.setOperations(c) : null;
  if (!take(c, ':') && !take(c, '|')) return null;
  c.bars = 0;
  const condition = closed(c, '\\}');
  c.bars = bars;
  if (condition.k !== 'relation' && condition.k !== 'list') return null;
  if (head.k !== 'symbol' && head.k !== 'group') return { k: 'call', name: 'builder', args: [head, condition] };
  if (domain === null || (domain.k === 'named' && domain.name === 'R')) return condition;
  return { k: 'setOp', op: 'intersection', left: domain, right: condition };
}

export function itemsUntil(c: Cursor, ...closers: string[]): readonly Node[] {
  const bars = c.bars;
  c.bars = 0;
  const node = c.rules.list(c, () => closers.some((close) => isOp(c, close)) || atEnd(c));
  c.bars = bars;
  if (!closers.some((close) => take(c, close))) throw new Error('unclosed');
  return node.k === 'list' ? node.items : [node];
}

export function parseGroup(open: '(' | '[', c: Cursor): Node {
  const items = itemsUntil(c, ')', ']');
  const close = c.tokens[c.at - 1]!.v as ')' | ']';
  const only = items[0]!;
  if (items.length === 1 && !(open === '[' && close === ']' && only.k === 'relation')) {
    if (open === '(' && close === ')' && only.k === 'symbol') return { k: 'group', open, close, items };
    return only;
  }
  return { k: 'group', open, close, items };
}

export function parseAbsolute(c: Cursor): Node {
  c.bars += 1;
  const inner = c.rules.list(c, () => isOp(c, '|') || atEnd(c));
  c.bars -= 1;
  expect(c, '|');
  return { k: 'call', name: 'abs', args: [inner] };
}

/** Matrices row by row; `cases` and `aligned` blocks as lists of their lines. */
export function parseEnvironment(c: Cursor): Node {
  const name = environmentName(c);
  if (name === 'array') while (isOp(c, '{')) scriptText(c);
  const rows = environmentRows(c);
  environmentName(c);
  if (rows.length === 0) throw new Error('empty matrix');
  if (/matrix|array/.test(name)) {
    const only = rows[0]![0]!;
    return rows.length === 1 && rows[0]!.length === 1 ? only : { k: 'matrix', rows };
  }
  if (name === 'cases') return { k: 'list', joiner: 'and', items: rows.map((items) => items[0]!) };
  const last = rows[rows.length - 1]!;
  return last[last.length - 1]!;
}

function environmentRows(c: Cursor): Node[][] {
  const rows: Node[][] = [];
  let row: Node[] = [];
  const ended = () => isOp(c, '&') || isOp(c, '\\\\') || isOp(c, 'end') || atEnd(c);
  while (!take(c, 'end')) {
    if (atEnd(c)) throw new Error('unclosed environment');
    if (take(c, '&')) continue;
    if (take(c, '\\\\')) {
      if (row.length > 0) rows.push(row);
      row = [];
    } else row.push(c.rules.list(c, ended));
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

function environmentName(c: Cursor): string {
  expect(c, '{');
  let name = '';
  while (!atEnd(c) && !isOp(c, '}')) name += c.tokens[c.at++]!.v;
  expect(c, '}');
  return name;
}
