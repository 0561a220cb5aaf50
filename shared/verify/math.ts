/**
 * Judges a math answer. Integers and rationals are exact (bigint); decimals are compared at their written precision.
 */
import type { Verdict } from '../domain/question.ts';
import { extractAnswer } from './extract-answer.ts';

interface Rational {
  top: bigint;
  bottom: bigint;
}

/** Verdict of `responseText` (raw model text) against `gold` (an answer, or a text that holds one). */
export function verifyMath(gold: string, responseText: string): Verdict {
  const answer = extractAnswer(responseText);
  if (answer === null) return { correct: false, ratio: 0, answer, how: 'no-answer' };
  const { equal, how } = compare(extractAnswer(gold) ?? gold, answer);
  return { correct: equal, ratio: equal ? 1 : 0, answer, how };
}

/** Whether two extracted answers name the same value. */
export function answersEqual(a: string, b: string): boolean {
  return compare(a, b).equal;
}

function compare(a: string, b: string): { equal: boolean; how: string } {
  const [x, y] = [normalise(a), normalise(b)];
  const [p, q] = [rational(x), rational(y)];
  if (p !== null && q !== null) {
    const integers = p.bottom === 1n && q.bottom === 1n;
    return { equal: p.top * q.bottom === q.top * p.bottom, how: integers ? 'integer' : 'rational' };
  }
  return { equal: x === y, how: 'text' };
}

function normalise(text: string): string {
  return text
    .replace(/^\$+|\$+$/g, '')
    .replace(/\\(?:text|mathrm|textbf)\{([^{}]*)\}/g, '$1')
    .replace(/\\[dt]frac/g, '\\frac')
    .replace(/\\left|\\right|\\[,!;: ]|\\\$|\$|[\s~]/g, '')
    .replace(/\\frac\{([^{}]+)\}\{([^{}]+)\}/g, '$1/$2')
    .replace(/(\d),(?=\d{3}(?!\d))/g, '$1')
    .replace(/^[a-zA-Z]=/, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

function rational(text: string): Rational | null {
  const fraction = /^([+-]?\d+)\/(\d+)$/.exec(text);
  if (fraction !== null) {
    const [top, bottom] = [BigInt(fraction[1]!), BigInt(fraction[2]!)];
    if (bottom === 0n) return null;
    const shared = gcd(top < 0n ? -top : top, bottom);
    return { top: top / shared, bottom: bottom / shared };
  }
  const decimal = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text);
  if (decimal === null || (decimal[2] === '' && (decimal[3] ?? '') === '')) return null;
  const places = (decimal[3] ?? '').replace(/0+$/, '');
  const top = BigInt(`${decimal[2]}${places}` || '0') * (decimal[1] === '-' ? -1n : 1n);
  const bottom = 10n ** BigInt(places.length);
  const shared = gcd(top < 0n ? -top : top, bottom);
  return { top: top / shared, bottom: bottom / shared };
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? (a === 0n ? 1n : a) : gcd(b, a % b);
}
