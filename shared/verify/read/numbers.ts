/** Numbers as written: decimals with their places, recurring decimals, mixed numbers. */
import type { Node } from '../expression.ts';
import { divide, integer, parseDecimal } from '../value/rational.ts';
import { isOp, peek, scriptText, take } from './cursor.ts';
import type { Cursor } from './cursor.ts';

/** The literal alone, whatever stands behind it. */
export function plainNumber(text: string): Node {
  const value = parseDecimal(text);
  if (value === null) throw new Error('number');
  const point = text.indexOf('.');
  const places = point < 0 || point === text.length - 1 ? null : text.length - point - 1;
  return { k: 'number', value, places, digits: text.replace('.', '').replace(/^0+/, '').length };
}

/** A number token (already taken) with what belongs to it: a period of digits, dots, a proper fraction. */
export function parseNumber(text: string, c: Cursor): Node {
  if (text.includes('.')) return overlined(text, c) ?? dotted(text, c) ?? plainNumber(text);
  return mixed(plainNumber(text), c);
}

/** `0.1\overline{36}` as an exact fraction. */
function overlined(text: string, c: Cursor): Node | null {
  if (!isOp(c, 'overline') && !isOp(c, 'bar')) return null;
  c.at += 1;
  const period = scriptText(c);
  if (!/^\d+$/.test(period)) throw new Error('overline');
  return recurring(text, period);
}

/** `0.1666…`: the period that the last digits show, at least twice (thrice for one digit); else a cut-off decimal. */
function dotted(text: string, c: Cursor): Node | null {
  if (!take(c, 'dots')) return null;
  const match = /^(\d*\.\d*?)(?:(\d)\2{2,}|(\d{2,8}?)\3+)(\d*)$/.exec(text);
  const period = match?.[2] ?? match?.[3];
  if (match === null || period === undefined || !period.startsWith(match[4]!)) return plainNumber(text);
  return recurring(match[1]!, period);
}

function recurring(head: string, period: string): Node {
  const places = head.length - head.indexOf('.') - 1;
  const before = BigInt(head.replace('.', '') || '0');
  const all = BigInt(head.replace('.', '') + period);
  const scale = (10n ** BigInt(period.length) - 1n) * 10n ** BigInt(places);
  const value = divide(integer(all - before), integer(scale));
  if (value === null) throw new Error('recurring decimal');
  return { k: 'number', value, places: null, digits: 1 };
}

/** `2\frac{1}{3}`: a whole number and a proper fraction of whole numbers; any other fraction is a factor. */
function mixed(whole: Node, c: Cursor): Node {
  if (!isOp(c, 'frac')) return whole;
  const fraction = c.rules.primary(c);
  if (fraction.k === 'divide' && fraction.top.k === 'number' && fraction.bottom.k === 'number') {
    const [top, bottom] = [fraction.top.value, fraction.bottom.value];
    const proper = top.bottom === 1n && bottom.bottom === 1n && top.top < bottom.top;
    if (proper && peek(c)?.v !== '^') return { k: 'add', items: [whole, fraction] };
  }
  return { k: 'multiply', items: [whole, fraction] };
}
