/** The controller's step against central differences, and learning on questions whose best script differs. */
import { describe, expect, it } from 'vitest';
import { createStream } from '../random.ts';
import { featureCount, featuresOf, learnFromPicks, pickScript, probabilitiesOf, zeroWeights } from './controller.ts';
import type { PickedQuestion } from './controller.ts';
import { maasPool, utilityOf } from './maas.ts';
import { scriptFor } from './source.ts';

const randomWeights = (scripts: number, key: string) => {
  const stream = createStream(key);
  return zeroWeights(scripts).map((row, i) => row.map((_, j) => stream.normal(i * row.length + j)));
};

describe('learnFromPicks', () => {
  it('moves along the gradient of mean (utility − baseline) · log p', () => {
    const weights = randomWeights(3, 'w');
    const picked: PickedQuestion[] = [
      { question: 'Tom has 3 pens', picks: [{ script: 0, utility: 1 }, { script: 2, utility: 0.2 }] }, // prettier-ignore
      { question: '4 bags of 5 cups', picks: [{ script: 1, utility: 0 }, { script: 1, utility: 0.9 }, { script: 0, utility: 0.4 }] }, // prettier-ignore
    ];
    const objective = (at: number[][]) => {
      const terms = picked.flatMap(({ question, picks }) => {
        const mean = picks.reduce((sum, { utility }) => sum + utility, 0) / picks.length;
        const probabilities = probabilitiesOf(at, featuresOf(question));
        return picks.map(({ script, utility }) => (utility - mean) * Math.log(probabilities[script]!));
      });
      return terms.reduce((sum, term) => sum + term, 0) / terms.length;
    };
    const next = learnFromPicks(weights, picked, 1);
    const h = 1e-5;
    for (const [row, column] of [
      [0, featureCount],
      [1, featureCount],
      [2, 7],
      [0, 31],
    ] as const) {
      const shifted = (by: number) =>
        weights.map((list, i) => list.map((w, j) => (i === row && j === column ? w + by : w)));
      const slope = (objective(shifted(h)) - objective(shifted(-h))) / (2 * h);
      expect(next[row]![column]! - weights[row]![column]!).toBeCloseTo(slope, 7);
    }
  });

  it('learns which script suits which question', () => {
    const questions = ['3 bags of 4 nuts each', 'Ann has 5 pens and gets 2 more'];
    let weights: number[][] = zeroWeights(2);
    for (let step = 0; step < 60; step++) {
      const picked = questions.map((question, best) => ({
        question,
        picks: Array.from({ length: 4 }, (_, i) => {
          const script = pickScript(weights, question, `${step}/${best}/${i}`);
          return { script, utility: script === best ? 1 : 0 };
        }),
      }));
      weights = learnFromPicks(weights, picked, 5);
    }
    expect(questions.map((question) => pickScript(weights, question, null))).toEqual([0, 1]);
  });
});

describe('pickScript', () => {
  it('draws by the probabilities, and greedily takes the most probable', () => {
    const weights = randomWeights(3, 'v');
    const question = 'Sam finds 9 eggs';
    const probabilities = probabilitiesOf(weights, featuresOf(question));
    const drawn = Array.from({ length: 3000 }, (_, i) => pickScript(weights, question, `p-${i}`));
    probabilities.forEach((probability, script) => {
      const share = drawn.filter((each) => each === script).length / drawn.length;
      expect(Math.abs(share - probability)).toBeLessThan(
        4 * Math.sqrt((probability * (1 - probability)) / 3000) + 1e-9,
      );
    });
    expect(probabilities[pickScript(weights, question, null)]).toBe(Math.max(...probabilities));
    expect(pickScript(zeroWeights(3), question, null)).toBe(0);
  });

  it('does not see which numbers a question has', () => {
    expect(featuresOf('Tom has 3 pens')).toEqual(featuresOf('tom has 12 PENS'));
    expect(Math.hypot(...featuresOf('Tom has 3 pens').slice(0, -1))).toBeCloseTo(1, 12);
  });
});

it('a pool gives the picked script, and cost weighs against it', () => {
  const scripts = maasPool('terse', 12);
  const source = { type: 'pool', scripts, weights: zeroWeights(scripts.length), draws: false } as const;
  expect(scriptFor(source, 'anything', 's')).toBe(scripts[0]);
  expect(utilityOf(true, 5, 10)).toBeCloseTo(0.95, 12);
  expect(utilityOf(false, 10, 10)).toBeCloseTo(-0.1, 12);
});
