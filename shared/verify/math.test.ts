import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { extractAnswer } from './extract-answer.ts';
import { answersEqual, verifyMath } from './math.ts';

interface Case {
  class: string;
  gold: string;
  answer: string;
  correct: boolean;
}
const casesOf = (name: string) =>
  readFileSync(new URL(`../../tests/fixtures/verify/${name}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Case);

/** `cases`: bare answers by class; `outputs`: whole replies as models write them, with their near misses. */
describe.each([
  ['cases', 400],
  ['outputs', 1800],
])('committed table %s', (name, least) => {
  const cases = casesOf(name);
  const judged = cases.map((item) => ({ ...item, verdict: verifyMath(item.gold, item.answer) }));
  it(`has at least ${least} pairs, no false positive and no missed answer`, () => {
    expect(cases.length).toBeGreaterThanOrEqual(least);
    expect(judged.filter(({ correct, verdict }) => verdict.correct !== correct)).toEqual([]);
  });
});

it('takes the last box by position, never by content', () => {
  expect(extractAnswer('\\boxed{42} \\boxed{41} \\boxed{42}')).toBe('42');
  expect(extractAnswer('\\boxed{\\frac{1}{2}} and then \\boxed{3')).toBe('\\frac{1}{2}');
  expect(extractAnswer('nothing here')).toBe('nothing here');
  expect(extractAnswer('')).toBeNull();
});

it('names the rule that decided', () => {
  expect(verifyMath('810', '\\boxed{809}')).toEqual({ correct: false, ratio: 0, answer: '809', how: 'different' });
  expect(verifyMath('1/2', '\\boxed{0.5}')).toEqual({ correct: true, ratio: 1, answer: '0.5', how: 'rational' });
  expect(answersEqual('x^2-1', '(x+1)(x-1)')).toBe(true);
});

it('gives a verdict on hostile input', () => {
  const hostile = ['('.repeat(2000), '9^{9^{9^{9}}}', '\\sqrt{'.repeat(300), `${'1,'.repeat(700)}1`, '2^{'.repeat(60) + '}'.repeat(60), 'a+'.repeat(700), '\\boxed{'.repeat(500), '99999999!', `5${'%'.repeat(500)}`, `1${' '.repeat(50_000)}2`, '$'.repeat(20_000)];
  for (const text of hostile) {
    expect(verifyMath(text, `\\boxed{${text}+1}`).correct, text.slice(0, 20)).toBe(false);
    expect(verifyMath('7', text).correct, text.slice(0, 20)).toBe(false);
  }
}); // prettier-ignore
