/** Oracles: enumeration of all subsets, exact bootstrap distributions, numbers by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intervalsOf, quantile, resampledMeans, resamples } from './bootstrap.ts';
import { compareMeasurements } from './compare.ts';
import { csvText } from './csv.ts';
import { majorityIsRight, passAt, questionMetrics } from './metrics.ts';
import { evaluationName, systemLabel } from './name.ts';
import type { QuestionSamples, Sample } from './samples.ts';
import { summarise } from './summary.ts';

const equal = (a: string, b: string) => Number(a) === Number(b);
const sample = (answer: string | null, correct = false, cost: Partial<Sample> = {}): Sample => ({
  answer,
  correct,
  valid: true,
  calls: 1,
  promptTokens: 10,
  responseTokens: 5,
  ...cost,
});

/** Share of the j-subsets of n samples (the first c right) that hold a right one, by going through all of them. */
function passByEnumeration(n: number, c: number, j: number): number {
  let subsets = 0;
  let passed = 0;
  for (let mask = 0; mask < 1 << n; mask++) {
    const members = Array.from({ length: n }, (_, i) => i).filter((i) => mask & (1 << i));
    if (members.length !== j) continue;
    subsets += 1;
    if (members.some((i) => i < c)) passed += 1;
  }
  return passed / subsets;
}

describe('passAt', () => {
  it('is the share of subsets with a right sample', () => {
    for (let n = 1; n <= 9; n++)
      for (let c = 0; c <= n; c++)
        for (let j = 1; j <= n; j++) expect(passAt(n, c, j)).toBeCloseTo(passByEnumeration(n, c, j), 12);
  });

  it('stays finite where binomials would not', () => {
    // 1 - C(1900,100)/C(2000,100), by lgamma of Python's math module.
    expect(passAt(2000, 100, 100)).toBeCloseTo(0.9948264893, 10);
  });
});

describe('majorityIsRight', () => {
  it.each([
    ['the frequent answer counts, written in any way', ['7', '7.0', '8'], [true, true, false], true],
    ['a right minority is wrong', ['7', '8', '8'], [true, false, false], false],
    ['a tie goes to the first given', ['8', '7', '7.0', '8.00'], [false, true, true, false], false],
    ['no answer is no vote', [null, null, '7'], [false, false, true], true],
    ['no votes at all', [null, null], [false, false], false],
  ])('%s', (_name, answers, right, expected) => {
    const samples = answers.map((answer, i) => sample(answer, right[i]));
    expect(majorityIsRight(samples, equal)).toBe(expected);
  });
});

describe('questionMetrics', () => {
  const of = (samples: Sample[], comparable = true): QuestionSamples => ({
    question: 'q',
    kind: null,
    comparable,
    samples,
  });

  it('by hand: 1 of 3 right', () => {
    const metrics = questionMetrics(of([sample('7', true), sample('8'), sample('8')]), equal);
    expect(metrics).toEqual({ average: 1 / 3, 'pass@2': expect.closeTo(2 / 3, 12), 'pass@3': 1, majority: 0 });
  });

  it('leaves majority out where answers are programs', () => {
    expect(questionMetrics(of([sample('print(1)', true)], false), equal)).toEqual({ average: 1 });
  });
});

describe('bootstrap', () => {
  it('draws the exact distribution of two questions', () => {
    // Means of {0, 1}: 0 with 1/4, 1/2 with 1/2, 1 with 1/4; 2000 draws stay within 5 standard errors (0.056).
    const [means] = resampledMeans([[0, 1]], 'two');
    const share = (value: number) => means!.filter((mean) => mean === value).length / resamples;
    expect(Math.abs(share(0) - 0.25)).toBeLessThan(0.049);
    expect(Math.abs(share(0.5) - 0.5)).toBeLessThan(0.056);
    expect(share(0) + share(0.5) + share(1)).toBe(1);
  });

  it('agrees with the normal approximation for many questions', () => {
    const values = Array.from({ length: 400 }, (_, i) => Number(i % 4 === 0));
    const [low, high] = intervalsOf({ a: values }, 'many').a;
    const error = 1.959964 * Math.sqrt((0.25 * 0.75) / 400);
    expect(low).toBeCloseTo(0.25 - error, 2);
    expect(high).toBeCloseTo(0.25 + error, 2);
  });

  it('covers the true mean about as often as it says', () => {
    // 200 data sets of 60 questions with p = 0.4: 95 % intervals should hold it in 190, within 4 standard errors (12.3).
    let covered = 0;
    for (let set = 0; set < 200; set++) {
      const values = resampledMeans([[1, 1, 0, 0, 0]], `set-${set}`)[0]!.slice(0, 60);
      const [low, high] = intervalsOf({ a: values }, `intervals-${set}`).a;
      if (low <= 0.4 && 0.4 <= high) covered += 1;
    }
    expect(Math.abs(covered - 190)).toBeLessThan(12.3);
  });

  it('is a function of data and seed, resamples columns alike, and is sharp for a constant', () => {
    const values = [0, 1, 1, 0, 1];
    expect(intervalsOf({ a: values }, 's')).toEqual(intervalsOf({ a: values }, 's'));
    expect(resampledMeans([values], 's')).not.toEqual(resampledMeans([values], 't'));
    const [a, b] = resampledMeans([values, values.map((v) => 1 - v)], 's');
    a!.forEach((mean, i) => expect(mean + b![i]!).toBeCloseTo(1, 12));
    expect(intervalsOf({ a: [1, 1, 1] }, 's').a).toEqual([1, 1]);
  });

  it('interpolates quantiles', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4], 0.1)).toBeCloseTo(1.3, 12);
    expect(quantile([5], 0.9)).toBe(5);
  });
});

describe('summarise', () => {
  it('by hand: two questions, two samples', () => {
    const summary = summarise(
      [
        { question: 'a', kind: 'x', comparable: true, samples: [sample('7', true), sample('7.0', true)] },
        {
          question: 'b',
          kind: null,
          comparable: true,
          samples: [sample(null, false, { valid: false, calls: 3 }), sample('2', true, { responseTokens: 9 })],
        },
      ],
      equal,
      's',
    );
    expect(summary.metrics).toEqual({
      average: 0.75,
      'pass@2': 1,
      majority: 1,
      validDesigns: 0.75,
      callsPerAnswer: 1.5,
      promptTokensPerAnswer: 10,
      responseTokensPerAnswer: 6,
    });
    expect(Object.keys(summary.intervals)).toEqual(['average', 'pass@2', 'majority']);
    expect(summary.intervals.average).toEqual([0.5, 1]);
    expect(summary.perQuestion).toEqual([
      { question: 'a', kind: 'x', correct: 2, majority: true, calls: 2, promptTokens: 20, responseTokens: 10 },
      { question: 'b', kind: null, correct: 1, majority: true, calls: 4, promptTokens: 20, responseTokens: 14 },
    ]);
  });
});

describe('compareMeasurements', () => {
  const measured = (id: string, samples: number, correct: number[], digest = 'd'.repeat(64)) => ({
    id,
    dataset: { digest },
    samples,
    perQuestion: correct.map((each, i) => ({ question: `q${i}`, correct: each })),
  });

  it('by hand, with different k', () => {
    const compared = compareMeasurements(measured('a', 2, [2, 1, 0, 1]), measured('b', 4, [2, 2, 2, 0]));
    // Differences 0.5, 0, -0.5, 0.5.
    expect(compared).toMatchObject({ difference: 0.125, questions: 4, better: 2, equal: 1, worse: 1 });
    expect(compared.interval[0]).toBeLessThan(0.125);
  });

  it('is antisymmetric and holds its own mean', () => {
    const counts = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })), {
      minLength: 2,
      maxLength: 20,
    });
    fc.assert(
      fc.property(counts, (pairs) => {
        const a = measured('a', 3, pairs.map(([left]) => left)); // prettier-ignore
        const b = measured('b', 3, pairs.map(([, right]) => right)); // prettier-ignore
        const [forth, back] = [compareMeasurements(a, b), compareMeasurements(b, a)];
        expect(forth.difference).toBeCloseTo(-back.difference, 12);
        expect(forth.interval[0]).toBeLessThanOrEqual(forth.difference + 1e-12);
        expect(forth.interval[1]).toBeGreaterThanOrEqual(forth.difference - 1e-12);
      }),
      { numRuns: 20 },
    );
  });

  it('refuses other questions', () => {
    const a = measured('run/eval-a', 1, [1, 0]);
    expect(() => compareMeasurements(a, measured('b', 1, [1, 0], 'e'.repeat(64)))).toThrow(/same questions/);
    expect(() => compareMeasurements(a, measured('b', 1, [1]))).toThrow(/--limit/);
  });
});

it('csvText quotes what needs it', () => {
  expect(
    csvText(
      ['a', 'b'],
      [
        ['x,y', 0.1],
        ['say "hi"', null],
        [true, 'l1\nl2'],
      ],
    ),
  ).toBe('a,b\n"x,y",0.1\n"say ""hi""",\ntrue,"l1\nl2"\n');
});

it('evaluationName tells measurements apart', () => {
  const measured = {
    label: 'metaagentx',
    policyVersion: 24,
    samples: 3,
    dataset: '1a2b3c4d5e6f',
    questions: 64,
    repetition: 1,
  };
  expect(evaluationName(measured)).toBe('v24-k3-n64-1a2b3c4d');
  expect(evaluationName({ ...measured, repetition: 2 })).toBe('v24-k3-n64-1a2b3c4d-2');
  const label = systemLabel('debate', { unit: 'calls', amount: 5 });
  expect(evaluationName({ ...measured, label })).toBe('v24-debate-calls5-k3-n64-1a2b3c4d');
});
