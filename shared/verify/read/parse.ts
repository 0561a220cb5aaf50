/**
 * Reads an answer into a `Node`: lists, relations and set operations here; formulas by precedence climbing in
 * `formula.ts`, operands in `primary.ts` and `brackets.ts`. LaTeX and plain text share one grammar. Anything it cannot
 * read throws a plain Error, and the caller compares as text instead.
 */
import type { Node, Relation } from '../expression.ts';
import { atEnd, isOp, peek, take } from './cursor.ts';
import type { Cursor, Grammar } from './cursor.ts';
import { parsePower, parseSum, startsOperand } from './formula.ts';
import { parsePrimary } from './primary.ts';
import { tokenise } from './tokens.ts';

const relations: Record<string, Relation> = {
  '=': '=', '<': '<', '>': '>', '<=': '<=', '>=': '>=', '!=': '!=', '~': '~', in: 'in', mod: 'mod', '=>': '=',
}; // prettier-ignore
const separators = new Set([',', ';', 'and', 'or']);
const mostItems = 200;

/** The answer as a tree. Throws where the text is not mathematics. */
export function parseAnswer(clean: string): Node {
  const tokens = tokenise(clean).filter((token) => token.v !== 'space');
  const cursor: Cursor = { tokens, at: 0, bars: 0, depth: 0, rules };
  if (tokens.length === 0) throw new Error('empty');
  const node = parseList(cursor, () => atEnd(cursor));
  if (!atEnd(cursor)) throw new Error(`left over: ${peek(cursor)!.v}`);
  return node;
}

/** One item alone is returned as itself. */
function parseList(c: Cursor, ended: () => boolean): Node {
  const items: Node[] = [];
  let joiner: ',' | 'or' | 'and' = ',';
  while (!ended()) {
    const token = peek(c)!;
    if (token.t === 'op' && separators.has(token.v)) {
      if (token.v === 'or' || (token.v === 'and' && joiner === ',')) joiner = token.v;
      c.at += 1;
      continue;
    }
    if (items.length >= mostItems) throw new Error('too many items');
    items.push(parseRelation(c));
    const next = peek(c);
    if (!ended() && next !== undefined && !(next.t === 'op' && separators.has(next.v)))
      throw new Error(`unexpected ${next.v}`);
  }
  if (items.length === 0) throw new Error('empty list');
  return items.length === 1 ? items[0]! : { k: 'list', joiner, items };
}

function parseRelation(c: Cursor): Node {
  const sides: Node[] = [];
  const ops: Relation[] = [];
  if (isOp(c, '=') || isOp(c, '~')) c.at += 1;
  sides.push(parseRatio(c));
  for (;;) {
    const token = peek(c);
    const op = token?.t === 'op' && Object.hasOwn(relations, token.v) ? relations[token.v] : undefined;
    if (op === undefined) break;
    c.at += 1;
    if (token!.v === '=>') while (take(c, '=>'));
    ops.push(op);
    sides.push(parseRatio(c));
  }
  return ops.length === 0 ? sides[0]! : { k: 'relation', sides, ops };
}

function parseRatio(c: Cursor): Node {
  const items = [parseSetOperations(c)];
  while (take(c, ':')) items.push(parseSetOperations(c));
  return items.length === 1 ? items[0]! : { k: 'ratio', items };
}

function parseSetOperations(c: Cursor): Node {
  let left = parseSum(c);
  for (;;) {
    const op = take(c, 'cup') ? 'union' : take(c, 'cap') ? 'intersection' : take(c, 'setminus') ? 'minus' : null;
    if (op === null) return left;
    left = { k: 'setOp', op, left, right: parseSum(c) };
  }
}

const rules: Grammar = {
  list: parseList,
  setOperations: parseSetOperations,
  power: parsePower,
  primary: parsePrimary,
  startsOperand,
};
