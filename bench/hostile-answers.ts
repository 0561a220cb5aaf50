/** Inputs made to cost a verifier time: deep nesting, huge numbers, long text, long lists that match only in reverse. */
const items = (count: number, item: (i: number) => string, joiner = ',') =>
  Array.from({ length: count }, (_, i) => item(i)).join(joiner);

/** Formulas: judged against themselves and against themselves plus one. */
export const hostileFormulas: Record<string, string> = {
  'open brackets': '('.repeat(2000),
  'tower of powers': '9^{9^{9^{9}}}',
  'nested roots': '\\sqrt{'.repeat(300),
  'nested exponents': `${'2^{'.repeat(60)}${'}'.repeat(60)}`,
  'nested fractions': `${'\\frac{1}{'.repeat(50)}x${'}'.repeat(50)}`,
  'factorial of a large number': '99999999!',
  'large binomial': '\\binom{5000}{2500}',
  'large power of a sum': '(a+b+c+d+e+f+g+h)^{50}',
  'product of powers': items(27, (i) => `(a+${i})^{60}`, ''),
  'polynomial of degree 99': items(100, (i) => `${i}x^{${i}}`, '+'),
  'many symbols': items(40, (i) => `x_${i}^{${i}}`, '+'),
  'nested functions': '\\sin '.repeat(250) + 'x',
  'product of matrices': '\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}'.repeat(12),
  'percent signs': `5${'%'.repeat(500)}`,
  digits: '7'.repeat(100_000),
  'root of a long number': `\\sqrt[63]{${'9'.repeat(1300)}}`,
  'small exponent': '1e-999999999',
};

/** Lists that equal their reverse only item by item. */
export const hostileLists: Record<string, (order: (i: number) => number, count: number) => string> = {
  'rational functions': (at, n) => items(n, (i) => `(x+${at(i)})^{40}/(y+1)^9`),
  sines: (at, n) => items(n, (i) => `\\sin(${at(i)}x)+\\pi`),
  factorials: (at, n) => items(n, (i) => `${600 + at(i)}!`),
  binomials: (at, n) => items(n, (i) => `\\binom{5000}{${2400 + at(i)}}`),
  equations: (at, n) => items(n, (i) => `x_{${at(i)}}=\\sqrt{${at(i)}}+y`),
  intervals: (at, n) => items(n, (i) => `(${at(i)}\\sqrt2,${at(i)}\\sqrt2+1)`, '\\cup'),
  signs: (at, n) => items(n, (i) => `\\pm ${at(i)}x`),
};

/** Whole replies without an answer worth finding. */
export const hostileTexts: Record<string, string> = {
  spaces: `1${' '.repeat(100_000)}2`,
  'dollar signs': '$'.repeat(50_000),
  dots: '.'.repeat(50_000),
  backslashes: '\\'.repeat(50_000),
  'answers announced': 'the answer is maybe '.repeat(20_000),
  'final answers': 'final answer '.repeat(20_000),
  fields: '"answer": '.repeat(20_000),
  'open boxes': '\\boxed{'.repeat(20_000),
  tags: '<answer>'.repeat(20_000),
  lines: 'x\n'.repeat(50_000),
  'digit groups': '1,000 '.repeat(3_000),
};
