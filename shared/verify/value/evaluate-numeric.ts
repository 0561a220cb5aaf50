/** Value of a formula in complex doubles, for sampling. NaN marks what has no value here. Knows no equality. */
import { cos, exp, isFinite, ln, magnitude, over, plus, pow, real, sin, sqrt, times } from './complex.ts';
import type { Complex } from './complex.ts';
import { basedValue, evaluateExact } from './evaluate-exact.ts';
import type { Node } from '../expression.ts';
import { toNumber } from './rational.ts';

export interface Sample {
  symbols: ReadonlyMap<string, number>;
  /** What a bare `\log` means: 10 or e. */
  logBase: number;
}

const nan = real(NaN);

export function evaluateNumeric(node: Node, sample: Sample): Complex {
  const value = (child: Node) => evaluateNumeric(child, sample);
  switch (node.k) {
    case 'number':
      return real(toNumber(node.value));
    case 'symbol':
      return real(sample.symbols.get(node.name) ?? NaN);
    case 'constant':
      return constants[node.name];
    case 'add':
      return node.items.map(value).reduce(plus);
    case 'multiply':
      return node.items.map(value).reduce(times);
    case 'negate':
      return times(real(-1), value(node.of));
    case 'divide':
      return over(value(node.top), value(node.bottom));
    case 'power':
      return powerOf(node.base, node.exponent, value);
    case 'percent':
      return over(value(node.of), real(100));
    case 'degree':
      return times(value(node.of), real(Math.PI / 180));
    case 'unit':
      return value(node.of);
    case 'based': {
      const exact = basedValue(node.digits, node.base);
      return exact === null ? nan : real(toNumber(exact));
    }
    case 'ratio':
      return node.items.length === 2 ? over(value(node.items[0]!), value(node.items[1]!)) : nan;
    case 'group':
      return node.items.length === 1 ? value(node.items[0]!) : nan;
    case 'call':
      return callOf(node.name, node.args.map(value), sample.logBase);
    default:
      return nan;
  }
}

const constants: Record<'pi' | 'e' | 'i' | 'infinity', Complex> = {
  pi: real(Math.PI),
  e: real(Math.E),
  i: { re: 0, im: 1 },
  infinity: real(Infinity),
};

/** Odd roots of negative reals are real here, as in school notation: (-8)^{1/3} = -2. */
function powerOf(base: Node, exponent: Node, value: (node: Node) => Complex): Complex {
  const [x, y] = [value(base), value(exponent)];
  if (x.im === 0 && x.re < 0 && exponent.k === 'divide') {
    const e = evaluateExact(exponent);
    if (e !== null && e.bottom % 2n === 1n && e.bottom > 1n) {
      const size = Math.pow(-x.re, toNumber(e));
      return real(e.top % 2n === 0n ? size : -size);
    }
  }
  return pow(x, y);
}

const realOnly = (f: (x: number) => number) => (x: Complex) => (x.im === 0 ? real(f(x.re)) : nan);
const inside = (f: (x: number) => number) => realOnly((x) => (Math.abs(x) <= 1 ? f(x) : NaN));

const unary: Record<string, (x: Complex) => Complex> = {
  sqrt,
  sin,
  cos,
  tan: (x) => over(sin(x), cos(x)),
  cot: (x) => over(cos(x), sin(x)),
  sec: (x) => over(real(1), cos(x)),
  csc: (x) => over(real(1), sin(x)),
  arcsin: inside(Math.asin),
  arccos: inside(Math.acos),
  arctan: realOnly(Math.atan),
  arccot: realOnly((x) => Math.PI / 2 - Math.atan(x)),
  sinh: realOnly(Math.sinh),
  cosh: realOnly(Math.cosh),
  tanh: realOnly(Math.tanh),
  coth: realOnly((x) => 1 / Math.tanh(x)),
  ln,
  exp,
  log10: (x) => over(ln(x), real(Math.LN10)),
  abs: (x) => real(magnitude(x)),
  floor: realOnly(Math.floor),
  ceil: realOnly(Math.ceil),
  sign: realOnly(Math.sign),
  arg: (x) => real(Math.atan2(x.im, x.re)),
  Re: (x) => real(x.re),
  Im: (x) => real(x.im),
  factorial: realOnly(factorial),
};

function callOf(name: string, args: readonly Complex[], logBase: number): Complex {
  const [x, y] = args;
  if (x === undefined) return nan;
  if (name === 'log') return over(ln(x), y === undefined ? real(Math.log(logBase)) : ln(y));
  if (name === 'root' && y !== undefined) return root(x, y);
  if (name === 'binom' && y !== undefined) return binomial(x, y);
  if (name === 'max' || name === 'min') {
    return args.every((arg) => arg.im === 0) ? real(Math[name](...args.map((arg) => arg.re))) : nan;
  }
  const f = Object.hasOwn(unary, name) ? unary[name] : undefined;
  return f !== undefined && args.length === 1 ? f(x) : nan;
}

function root(x: Complex, n: Complex): Complex {
  if (x.im === 0 && x.re < 0 && Number.isInteger(n.re) && n.re % 2 !== 0) return real(-Math.pow(-x.re, 1 / n.re));
  return pow(x, over(real(1), n));
}

function binomial(n: Complex, k: Complex): Complex {
  if (n.im !== 0 || k.im !== 0) return nan;
  return over(real(factorial(n.re)), real(factorial(k.re) * factorial(n.re - k.re)));
}

/** Γ(x + 1) by Lanczos (g = 7, 9 terms), about 15 digits; so that n! can be sampled at any n. */
function factorial(x: number): number {
  if (Number.isInteger(x)) {
    if (x < 0) return NaN;
    let value = 1;
    for (let i = 2; i <= Math.min(x, 171); i += 1) value *= i;
    return value;
  }
  if (x < -0.5) return Math.PI / (Math.sin(Math.PI * (x + 1)) * factorial(-x - 1));
  const coefficients = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
    -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ]; // prettier-ignore
  const series = coefficients.reduce((sum, c, i) => (i === 0 ? c : sum + c / (x + i)), 0);
  const t = x + 7.5;
  return Math.sqrt(2 * Math.PI) * Math.pow(t, x + 0.5) * Math.exp(-t) * series;
}

/** Whether the value exists. */
export const hasValue = (x: Complex) => isFinite(x);
