import { describe, expect, it } from 'vitest';
import { calculate, valueText } from './calculate.ts';

/** Expected values are those of Python 3.11 (int, Fraction, math), but halves round away from zero. */
describe('values', () => {
  it.each([
    ['6*7', '42'],
    ['2+3*4', '14'],
    ['(2+3)*4', '20'],
    ['2**3**2', '512'],
    ['-2**2', '-4'],
    ['2**-1', '0.5'],
    ['1/3', '1/3'],
    ['1/3+1/6', '0.5'],
    ['10/4', '2.5'],
    ['-7//2', '-4'],
    ['-7%3', '2'],
    ['7%-3', '-2'],
    ['2^64', '18446744073709551616'],
    ['20!', '2432902008176640000'],
    ['3!!', '720'],
    ['0.1+0.2', '0.3'],
    ['1e3', '1000'],
    ['2.5e-3*4', '0.01'],
    ['sqrt(2)', '1.41421356237'],
    ['sqrt(16/9)', '4/3'],
    ['8^(1/3)', '2'],
    ['27^(2/3)', '9'],
    ['cbrt(-27)', '-3'],
    ['abs(-3/4)', '0.75'],
    ['floor(-1.5)', '-2'],
    ['ceil(1.2)', '2'],
    ['round(2.5)', '3'],
    ['round(-2.5)', '-3'],
    ['round(3.14159, 2)', '3.14'],
    ['min(3, 1/2, 2)', '0.5'],
    ['max(3, 1/2, 2)', '3'],
    ['gcd(84, 36)', '12'],
    ['lcm(4, 6)', '12'],
    ['mod(17, 5)', '2'],
    ['comb(52, 5)', '2598960'],
    ['perm(5, 2)', '20'],
    ['comb(3, 4)', '0'],
    ['exp(1)', '2.71828182846'],
    ['ln(e)', '1'],
    ['log(8, 2)', '3'],
    ['log10(1000)', '3'],
    ['sin(pi/2)', '1'],
    ['2*pi', '6.28318530718'],
    ['1,234,567 + 1', '1234568'],
    ['12 × 12 ÷ 3 − 1 =', '47'],
    ['+-+3', '-3'],
  ])('%s = %s', (expression, value) => {
    expect(valueText(calculate(expression))).toBe(value);
  });
});

describe('refusals', () => {
  it.each([
    ['', /'\(' is expected, not the end/],
    ['1/0', /division by zero/],
    ['0**-1', /division by zero/],
    ['5 % 0', /division by zero/],
    ['(-8)^(1/2)', /no such power/],
    ['log(0)', /positive/],
    ['asin(2)', /-1 to 1/],
    ['1.5!', /whole numbers/],
    ['701!', /0 to 700/],
    ['9**9**9', /too large/],
    ['2 3', /'3' is not expected/],
    ['x + 1', /'x' is not known; functions: sqrt/],
    ['__import__("os")', /not known/],
    ['sqrt(1, 2)', /takes 1 arguments, not 2/],
    ['constructor(1)', /not known/],
    ['1 + "a"', /not arithmetic/],
    ['('.repeat(500), /too deep/],
    ['-'.repeat(500), /too deep/],
    ['1+'.repeat(1500) + '1', /more than 2000/],
  ])('%s', (expression, message) => {
    expect(() => calculate(expression)).toThrow(message);
  });
});
