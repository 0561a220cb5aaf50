/** Where a parse stands in its tokens, and the rules of the grammar that its parts call without importing each other. */
import type { Node } from '../expression.ts';
import type { Token } from './tokens.ts';

/** The grammar's entries, from loosest to tightest binding. Each throws a plain Error on what it cannot read. */
export interface Grammar {
  /** Items parted by commas, semicolons, `and`, `or`, up to `ended`. */
  list(c: Cursor, ended: () => boolean): Node;
  /** Sums joined by ∪, ∩ and ∖. */
  setOperations(c: Cursor): Node;
  /** A formula that binds tighter than a product: a primary with its powers, signs and units. */
  power(c: Cursor): Node;
  primary(c: Cursor): Node;
  /** Whether an operand starts here: two operands side by side are a product. */
  startsOperand(c: Cursor): boolean;
}

export interface Cursor {
  tokens: Token[];
  at: number;
  /** Open `|…|` pairs: a bar then closes instead of opening. */
  bars: number;
  depth: number;
  rules: Grammar;
}

export const peek = (c: Cursor): Token | undefined => c.tokens[c.at];
export const isOp = (c: Cursor, v: string): boolean => c.tokens[c.at]?.t === 'op' && c.tokens[c.at]!.v === v;
export const take = (c: Cursor, v: string): boolean => isOp(c, v) && (c.at += 1) > 0;
export const atEnd = (c: Cursor): boolean => c.at >= c.tokens.length;

export function expect(c: Cursor, v: string): void {
  if (!take(c, v)) throw new Error(`expected ${v}`);
}

/** What `read` finds, or null with the cursor where it was. */
export function attempt(c: Cursor, read: () => Node | null): Node | null {
  const { at, bars, depth } = c;
  let found: Node | null = null;
  try {
    found = read();
  } catch {
    found = null;
  }
  if (found === null) Object.assign(c, { at, bars, depth });
  return found;
}

/** A list up to `close`, which is taken; `{a \over b}` is a fraction. */
export function closed(c: Cursor, close: string): Node {
  const ended = () => isOp(c, close) || isOp(c, 'over') || atEnd(c);
  const node = c.rules.list(c, ended);
  if (!take(c, 'over')) {
    expect(c, close);
    return node;
  }
  const bottom = c.rules.list(c, ended);
  expect(c, close);
  return { k: 'divide', top: node, bottom };
}

/** A braced or single token as written: subscripts, names of environments, overlined digits. */
export function scriptText(c: Cursor): string {
  if (!take(c, '{')) return c.tokens[c.at++]?.v ?? '';
  let text = '';
  for (let depth = 1; !atEnd(c); c.at += 1) {
    const { v } = peek(c)!;
    if (v === '{') depth += 1;
    if (v === '}' && (depth -= 1) === 0) break;
    text += v;
  }
  expect(c, '}');
  return text;
}
