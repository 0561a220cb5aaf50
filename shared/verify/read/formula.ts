/** Formulas by precedence: sums, products (also by standing side by side), signs, powers and what follows an operand. */
import type { Node } from '../expression.ts';
import { closed, expect, isOp, peek, scriptText, take } from './cursor.ts';
import type { Cursor } from './cursor.ts';
import { plainNumber } from './numbers.ts';

const deepest = 60;
const mostSuffixes = 20;

export function parseSum(c: Cursor): Node {
  if ((c.depth += 1) > deepest) throw new Error('too deep');
  let left: Node | null = null;
  for (;;) {
    if (take(c, '+')) left = left === null ? parseProduct(c) : sum(left, parseProduct(c));
    else if (take(c, '-')) {
      const right: Node = { k: 'negate', of: parseProduct(c) };
      left = left === null ? right : sum(left, right);
    } else if (isOp(c, '+-') || isOp(c, '-+')) {
      const sign = peek(c)!.v === '+-' ? 1 : -1;
      c.at += 1;
      left = { k: 'plusMinus', sign, left, right: parseProduct(c) };
    } else if (left === null) left = parseProduct(c);
    else break;
  }
  c.depth -= 1;
  return left;
}

const sum = (left: Node, right: Node): Node => ({
  k: 'add',
  items: left.k === 'add' ? [...left.items, right] : [left, right],
});
const product = (left: Node, right: Node): Node => ({
  k: 'multiply',
  items: left.k === 'multiply' ? [...left.items, right] : [left, right],
});

function parseProduct(c: Cursor): Node {
  let left = parseSigned(c);
  for (;;) {
    if (take(c, '*')) left = product(left, parseSigned(c));
    else if (take(c, '/')) {
      if (peek(c)?.t === 'text' && left.k === 'unit') left = { ...left, unit: `${left.unit}/${c.tokens[c.at++]!.v}` };
      else left = { k: 'divide', top: left, bottom: parseSigned(c) };
    } else if (take(c, 'choose')) left = { k: 'call', name: 'binom', args: [left, parseSigned(c)] };
    else if (startsOperand(c)) {
      if (peek(c)!.t === 'number' && c.tokens[c.at - 1]!.t === 'number') throw new Error('two numbers side by side');
      left = product(left, parsePower(c));
    } else return left;
  }
}

function parseSigned(c: Cursor): Node {
  if (take(c, '-')) return { k: 'negate', of: parseSigned(c) };
  if (take(c, '+')) return parseSigned(c);
  if (isOp(c, '+-') || isOp(c, '-+')) {
    const sign = c.tokens[c.at++]!.v === '+-' ? 1 : -1;
    return { k: 'plusMinus', sign, left: null, right: parseSigned(c) };
  }
  return parsePower(c);
}

const openers = new Set('( [ { \\{ frac sqrt cbrt binom begin lfloor lceil << overline bar underline'.split(' '));
export function startsOperand(c: Cursor): boolean {
  const token = peek(c);
  if (token === undefined || token.t === 'text') return false;
  if (token.t !== 'op') return true;
  return openers.has(token.v) || (token.v === '|' && c.bars === 0);
}

export function parsePower(c: Cursor): Node {
  let base = c.rules.primary(c);
  for (let count = 0; ; count += 1) {
    if (count > mostSuffixes) throw new Error('too many signs behind an operand');
    if (isOp(c, '^')) {
      c.at += 1;
      if (raisedSign(c, 'circ')) base = { k: 'degree', of: base };
      else if (raisedSign(c, "'")) base = primed(base);
      else base = { k: 'power', base, exponent: parseScript(c) };
    } else if (take(c, 'circ')) base = { k: 'degree', of: base };
    else if (take(c, "'")) base = primed(base);
    else if (take(c, '!')) base = { k: 'call', name: 'factorial', args: [base] };
    else if (take(c, '%')) base = { k: 'percent', of: base };
    else if (take(c, '_')) base = subscripted(base, scriptText(c));
    else if (isOp(c, 'pmod') || (isOp(c, '(') && c.tokens[c.at + 1]?.v === 'pmod')) base = modulus(base, c);
    else if (peek(c)?.t === 'text') base = withText(base, c);
    else if (base.k === 'symbol' && startsAtZero(c)) base = atZero(base.name, c);
    else return combination(base, c) ?? base;
  }
}

/** `I(0)`: a value's name, never a factor of zero. */
const startsAtZero = (c: Cursor) => isOp(c, '(') && c.tokens[c.at + 1]?.v === '0' && c.tokens[c.at + 2]?.v === ')';
function atZero(name: string, c: Cursor): Node {
  c.at += 3;
  return { k: 'symbol', name: `${name}(0)` };
}

const primed = (base: Node): Node => (base.k === 'symbol' ? { k: 'symbol', name: `${base.name}'` } : base);

function raisedSign(c: Cursor, v: string): boolean {
  if (take(c, v)) return true;
  if (isOp(c, '{') && c.tokens[c.at + 1]?.v === v && c.tokens[c.at + 2]?.v === '}') return (c.at += 3) > 0;
  return false;
}

/** Exponent: a braced formula, a signed number, or one token. */
export function parseScript(c: Cursor): Node {
  if (take(c, '{')) return closed(c, '}');
  if (take(c, '-')) return { k: 'negate', of: parseScript(c) };
  const token = peek(c);
  return token?.t === 'number' ? plainNumber((c.at++, token.v)) : c.rules.primary(c);
}

const baseWords = new Map('two three four five six seven eight nine ten'.split(' ').map((word, i) => [word, i + 2]));

function subscripted(base: Node, script: string): Node {
  const radix = baseWords.get(script) ?? (/^\d+$/.test(script) ? Number(script) : NaN);
  if (base.k === 'number' && base.places === null && radix >= 2 && radix <= 36) {
    return { k: 'based', digits: base.value.top.toString(), base: radix };
  }
  if (base.k === 'symbol') return { k: 'symbol', name: `${base.name}_${script}` };
  throw new Error('subscript');
}

/** `C(20, 10)` and `C_{20}^{10}` with numbers: the number of choices. */
function combination(base: Node, c: Cursor): Node | null {
  if (base.k === 'power' && base.base.k === 'symbol') {
    const n = /^C_(\d+)$/.exec(base.base.name)?.[1];
    return n === undefined || base.exponent.k !== 'number' ? null : binomial(plainNumber(n), base.exponent);
  }
  if (base.k !== 'symbol' || base.name !== 'C' || !isOp(c, '(')) return null;
  const group = c.rules.primary(c);
  if (group.k === 'group' && group.items.length === 2 && group.items.every(({ k }) => k === 'number'))
    return binomial(group.items[0]!, group.items[1]!);
  return product(base, group);
}

const binomial = (n: Node, k: Node): Node => ({ k: 'call', name: 'binom', args: [n, k] });

function modulus(base: Node, c: Cursor): Node {
  const parenthesised = take(c, '(');
  expect(c, 'pmod');
  const m = take(c, '{') ? closed(c, '}') : c.rules.primary(c);
  if (parenthesised) expect(c, ')');
  return { k: 'unit', of: base, unit: m.k === 'number' ? `mod ${m.value.top}` : 'mod' };
}

/** Words after an operand: a unit (with its power) after a number; anywhere else the answer is no formula. */
function withText(base: Node, c: Cursor): Node {
  let unit = c.tokens[c.at++]!.v;
  for (;;) {
    if (peek(c)?.t === 'text') unit += ` ${c.tokens[c.at++]!.v}`;
    else if (isOp(c, '^')) {
      c.at += 1;
      unit += `^${take(c, '-') ? '-' : ''}${scriptText(c)}`;
    } else if ((isOp(c, '/') || isOp(c, '*')) && c.tokens[c.at + 1]?.t === 'text') {
      unit += `${c.tokens[c.at]!.v}${c.tokens[c.at + 1]!.v}`;
      c.at += 2;
    } else break;
  }
  if (startsOperand(c)) throw new Error('words between operands');
  return { k: 'unit', of: base, unit };
}
