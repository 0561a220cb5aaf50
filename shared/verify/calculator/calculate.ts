/**
 * The `calculator` tool: one arithmetic expression, as people and Python write it: + - * / // % ^ ** !, parentheses, the
 * functions and constants of `functions.ts`. Pure; bounded by the length of the expression and by the size of its numbers.
 */
import { absolute, add, integer, multiply, negate, parseDecimal, power } from '../value/rational.ts';
import type { Rational } from '../value/rational.ts';
import { constants, functions } from './functions.ts';
import {
  combine, difference, exactly, factorial, fail, product, quotient, raise, remainder, whole,
} from './operations.ts'; // prettier-ignore
import type { CalculatorValue } from './operations.ts';

const longestExpression = 2000;
const deepest = 100;

const token =
  /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*|π)|(\*\*|\/\/|[-+*/%^!(),]))/y;

/** Precedence climbing: sums, products, signs, powers (right to left), factorials. */
class Reader {
  private at = 0;
  private ahead: { kind: 'number' | 'name' | 'sign' | 'end'; text: string };
  private depth = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
    this.ahead = this.read();
  }

  whole(): CalculatorValue {
    const value = this.sum();
    if (this.ahead.kind !== 'end') fail(`'${this.ahead.text}' is not expected at position ${this.at}`);
    return value;
  }

  private read(): Reader['ahead'] {
    token.lastIndex = this.at;
    const match = token.exec(this.text);
    if (match === null) {
      const rest = this.text.slice(this.at).trim();
      return rest === '' ? { kind: 'end', text: 'the end' } : fail(`'${rest.slice(0, 20)}' is not arithmetic`);
    }
    this.at = token.lastIndex;
    const kind = match[1] !== undefined ? 'number' : match[2] !== undefined ? 'name' : 'sign';
    return { kind, text: match[0].trim() };
  }

  private take(...signs: string[]): string | null {
    const { kind, text } = this.ahead;
    if (kind !== 'sign' || !signs.includes(text)) return null;
    this.ahead = this.read();
    return text;
  }

  private expect(sign: string): void {
    if (this.take(sign) === null) fail(`'${sign}' is expected, not ${this.ahead.text}`);
  }

  private sum(): CalculatorValue {
    if (++this.depth > deepest) fail('the expression is nested too deep');
    let value = this.product();
    for (let sign = this.take('+', '-'); sign !== null; sign = this.take('+', '-')) {
      const right = this.product();
      value = sign === '+' ? combine(value, right, add, (a, b) => a + b) : difference(value, right);
    }
    this.depth -= 1;
    return value;
  }

  private product(): CalculatorValue {
    let value = this.signed();
    for (let sign = this.take('*', '/', '//', '%'); sign !== null; sign = this.take('*', '/', '//', '%')) {
      const right = this.signed();
      value = { '*': product, '/': quotient, '//': whole, '%': remainder }[sign]!(value, right);
    }
    return value;
  }

  private signed(): CalculatorValue {
    const sign = this.take('+', '-');
    if (sign === null) return this.power();
    if (++this.depth > deepest) fail('the expression is nested too deep');
    const value = this.signed();
    this.depth -= 1;
    return sign === '-' ? (exactly(value) ? negate(value) : -value) : value;
  }

  private power(): CalculatorValue {
    let base = this.atom();
    while (this.take('!') !== null) base = factorial(base);
    return this.take('^', '**') === null ? base : raise(base, this.signed());
  }

  private atom(): CalculatorValue {
    const { kind, text } = this.ahead;
    if (kind === 'number') {
      this.ahead = this.read();
      return numberOf(text);
    }
    if (kind === 'name') {
      this.ahead = this.read();
      return this.named(text);
    }
    this.expect('(');
    const value = this.sum();
    this.expect(')');
    return value;
  }

  private named(name: string): CalculatorValue {
    if (Object.hasOwn(constants, name)) return constants[name]!;
    if (!Object.hasOwn(functions, name))
      fail(`'${name}' is not known; functions: ${Object.keys(functions).join(', ')}`);
    const [fewest, most, apply] = functions[name]!;
    this.expect('(');
    const args = [this.sum()];
    while (this.take(',') !== null) args.push(this.sum());
    this.expect(')');
    if (args.length < fewest || args.length > most)
      fail(`${name} takes ${fewest === most ? fewest : `${fewest} to ${most}`} arguments, not ${args.length}`);
    return apply(...args);
  }
}

function numberOf(text: string): CalculatorValue {
  const [digits, exponent] = text.toLowerCase().split('e') as [string, string | undefined];
  const mantissa = parseDecimal(digits);
  const scale =
    exponent === undefined
      ? integer(1)
      : Math.abs(Number(exponent)) > 400
        ? null
        : power(integer(10), BigInt(exponent));
  return (mantissa === null || scale === null ? null : multiply(mantissa, scale)) ?? Number(text);
}

/** The value of an expression. Throws `CalculatorError` with what is wrong. */
export function calculate(expression: string): CalculatorValue {
  if (expression.length > longestExpression) fail(`the expression has more than ${longestExpression} characters`);
  const plain = expression
    .replace(/[×·⋅]/g, '*')
    .replace(/÷/g, '/')
    .replace(/[−–]/g, '-')
    .replace(/(?<=\d),(?=\d{3}(?!\d))(?![^(]*\))/g, '')
    .replace(/=\s*$/, '');
  const value = new Reader(plain).whole();
  if (typeof value === 'number' && !Number.isFinite(value)) fail('the result is too large');
  return value;
}

const longestDecimal = 30;

/** Whole numbers in full, other rationals as a finite decimal or a fraction, doubles with 12 digits. */
export function valueText(value: CalculatorValue): string {
  if (typeof value === 'number') return String(Number(value.toPrecision(12)));
  if (value.bottom === 1n) return value.top.toString();
  return finiteDecimal(value) ?? `${value.top}/${value.bottom}`;
}

function finiteDecimal({ top, bottom }: Rational): string | null {
  let rest = bottom;
  let places = 0;
  for (const prime of [2n, 5n]) {
    let count = 0;
    for (; rest % prime === 0n; rest /= prime) count += 1;
    places = Math.max(places, count);
  }
  if (rest !== 1n || places > longestDecimal) return null;
  const digits = ((absolute(top) * 10n ** BigInt(places)) / bottom).toString().padStart(places + 1, '0');
  return `${top < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
