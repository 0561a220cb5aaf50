/** Operands: numbers, symbols, functions with their arguments, fractions, roots, words. */
import type { Node } from '../expression.ts';
import { integer } from '../value/rational.ts';
import { parseBraces, parseEnvironment, parseGroup, parseSet, itemsUntil, parseAbsolute } from './brackets.ts';
import { closed, isOp, peek, scriptText, take } from './cursor.ts';
import type { Cursor } from './cursor.ts';
import { parseScript } from './formula.ts';
import { parseNumber, plainNumber } from './numbers.ts';

export function parsePrimary(c: Cursor): Node {
  const token = peek(c);
  if (token === undefined) throw new Error('ends early');
  c.at += 1;
  switch (token.t) {
    case 'number':
      return parseNumber(token.v, c);
    case 'symbol':
      return { k: 'symbol', name: token.v };
    case 'const':
      return { k: 'constant', name: token.v as 'pi' };
    case 'named':
      return { k: 'named', name: token.v };
    case 'call':
      return parseCall(token.v, c);
    case 'text':
      if (c.tokens.every(({ t }) => t === 'text')) return words(c, token.v);
      if (isOp(c, '=') || isOp(c, ':')) return { k: 'symbol', name: token.v };
      if (c.rules.startsOperand(c) || isOp(c, '-')) return signed(c);
      return words(c, token.v);
    default:
      return parseOperator(token.v, c);
  }
}

/** Words before a number ("the area 5") do not count. */
const signed = (c: Cursor): Node => (take(c, '-') ? { k: 'negate', of: signed(c) } : c.rules.power(c));

function words(c: Cursor, first: string): Node {
  let text = first;
  while (peek(c)?.t === 'text') text += ` ${c.tokens[c.at++]!.v}`;
  return { k: 'text', text: text.toLowerCase() };
}

function parseOperator(v: string, c: Cursor): Node {
  switch (v) {
    case '(':
    case '[':
      return parseGroup(v, c);
    case '<<':
      return { k: 'group', open: '(', close: ')', items: itemsUntil(c, '>>') };
    case '{':
      return parseBraces(c);
    case '\\{':
      return parseSet(c);
    case '|':
      return parseAbsolute(c);
    case 'lfloor':
      return { k: 'call', name: 'floor', args: [closed(c, 'rfloor')] };
    case 'lceil':
      return { k: 'call', name: 'ceil', args: [closed(c, 'rceil')] };
    case 'frac':
      return { k: 'divide', top: argument(c), bottom: argument(c) };
    case 'binom':
      return { k: 'call', name: 'binom', args: [argument(c), argument(c)] };
    case 'cbrt':
      return { k: 'call', name: 'root', args: [argument(c), three] };
    case 'sqrt':
      return parseRoot(c);
    case 'overline':
    case 'underline':
    case 'bar':
      return { k: 'symbol', name: `overline ${scriptText(c)}` };
    case 'begin':
      return parseEnvironment(c);
    default:
      throw new Error(`unexpected ${v}`);
  }
}

const three: Node = { k: 'number', value: integer(3), places: null, digits: 1 };

/** An argument of `\frac` or `\sqrt`: braces, or one digit (`\frac12`), or one token. */
function argument(c: Cursor): Node {
  if (take(c, '{')) return closed(c, '}');
  const token = peek(c);
  if (token?.t === 'number' && token.v.length > 1) {
    c.tokens[c.at] = { ...token, v: token.v.slice(1) };
    return plainNumber(token.v[0]!);
  }
  if (token?.t === 'number') return plainNumber((c.at++, token.v));
  if (take(c, '-')) return { k: 'negate', of: argument(c) };
  return parsePrimary(c);
}

function parseRoot(c: Cursor): Node {
  const degree = take(c, '[') ? closed(c, ']') : null;
  const token = peek(c);
  const of = token?.t === 'number' ? plainNumber((c.at++, token.v)) : argument(c);
  const inner = of.k === 'group' && of.items.length === 1 ? of.items[0]! : of;
  return degree === null
    ? { k: 'call', name: 'sqrt', args: [inner] }
    : { k: 'call', name: 'root', args: [inner, degree] };
}

const aliases: Record<string, string> = { asin: 'arcsin', acos: 'arccos', atan: 'arctan', lg: 'log10', sgn: 'sign' };

function parseCall(name: string, c: Cursor): Node {
  let raised: Node | null = null;
  let base: Node | null = null;
  for (;;) {
    if (take(c, '^')) raised = parseScript(c);
    else if (take(c, '_')) base = take(c, '{') ? closed(c, '}') : argument(c);
    else break;
  }
  const args = callArguments(c);
  let call: Node = { k: 'call', name: aliases[name] ?? name, args: base === null ? args : [...args, base] };
  if (name === 'cis')
    return {
      k: 'power',
      base: { k: 'constant', name: 'e' },
      exponent: { k: 'multiply', items: [{ k: 'constant', name: 'i' }, args[0]!] },
    };
  if (name === 'exp') call = { k: 'power', base: { k: 'constant', name: 'e' }, exponent: args[0]! };
  const inverse = raised?.k === 'negate' && raised.of.k === 'number' && raised.of.value.top === 1n;
  if (inverse && /^(?:sin|cos|tan|cot)$/.test(name)) return { k: 'call', name: `arc${name}`, args };
  return raised === null ? call : { k: 'power', base: call, exponent: raised };
}

/** Arguments in brackets, or the product that follows (`\sin 2x`), which ends at a sign or another function. */
function callArguments(c: Cursor): readonly Node[] {
  if (take(c, '(')) return itemsUntil(c, ')');
  if (take(c, '{')) {
    const node = closed(c, '}');
    return node.k === 'list' ? node.items : [node];
  }
  if (take(c, '\\{')) return itemsUntil(c, '\\}');
  if (take(c, '-')) return [{ k: 'negate', of: factors(c) }];
  return [factors(c)];
}

function factors(c: Cursor): Node {
  const items = [c.rules.power(c)];
  while (c.rules.startsOperand(c) && peek(c)!.t !== 'call' && !isOp(c, '(')) items.push(c.rules.power(c));
  return items.length === 1 ? items[0]! : { k: 'multiply', items };
}
