/** Against distributions written out token by token: sorted by probability, cut as the settings say, normalised again. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SamplingSettings } from '../../../shared/domain/sampling.ts';
import { TokenDrawer } from './draw-token.ts';

const plain: SamplingSettings = { temperature: 1, topP: 1, topK: 0, minP: 0, maxTokens: 1, stopStrings: [] };

/** Kept tokens and their probabilities: top-k first, then top-p of what is left, then min-p relative to the largest. */
function distributionOf(logits: readonly number[], settings: SamplingSettings): Map<number, number> {
  const largest = Math.max(...logits);
  const masses = logits.map((logit) => Math.exp((Math.fround(logit) - Math.fround(largest)) / settings.temperature));
  let ids = logits.map((_, id) => id).sort((a, b) => masses[b]! - masses[a]! || a - b);
  if (settings.topK > 0) ids = ids.slice(0, settings.topK);
  const total = (list: number[]) => list.reduce((sum, id) => sum + masses[id]!, 0);
  const whole = total(ids);
  let kept = 0;
  for (let sum = 0; kept < ids.length && sum < settings.topP * whole; kept++) sum += masses[ids[kept]!]!;
  if (settings.topP < 1) ids = ids.slice(0, kept);
  ids = ids.filter((id) => masses[id]! >= settings.minP);
  return new Map(ids.map((id) => [id, masses[id]! / total(ids)]));
}

/** Every token that a fine grid of uniform numbers leads to, with its share of the grid and its log-probability. */
function drawn(logits: readonly number[], settings: SamplingSettings, points: number) {
  const drawer = new TokenDrawer(logits.length);
  const counts = new Map<number, { share: number; logProb: number }>();
  for (let i = 0; i < points; i++) {
    const id = drawer.draw(Float32Array.from(logits), 0, settings, (i + 0.5) / points);
    const known = counts.get(id) ?? { share: 0, logProb: drawer.logProb };
    counts.set(id, { share: known.share + 1 / points, logProb: drawer.logProb });
  }
  return counts;
}

const logitsArb = fc.array(fc.double({ min: -6, max: 6, noNaN: true }), { minLength: 2, maxLength: 12 });
const settingsArb = fc.record({
  temperature: fc.double({ min: 0.2, max: 3, noNaN: true }),
  topK: fc.integer({ min: 0, max: 14 }),
  topP: fc.double({ min: 0.05, max: 1, noNaN: true }),
  minP: fc.double({ min: 0, max: 0.6, noNaN: true }),
});

describe('a drawn token', () => {
  it('has the probability that the settings give it, and says it', () => {
    const points = 4000;
    fc.assert(
      fc.property(logitsArb, settingsArb, (logits, chosen) => {
        const settings = { ...plain, ...chosen };
        const expected = distributionOf(logits, settings);
        // Ties at a cut can fall either way in the last bit.
        const masses = [...expected.values()];
        fc.pre(
          new Set(logits.map((logit) => Math.fround(logit))).size === logits.length && masses.every((p) => p > 1e-3),
        );
        for (const [id, { share, logProb }] of drawn(logits, settings, points)) {
          expect(expected.has(id), `token ${id} of ${[...expected.keys()].join()}`).toBe(true);
          expect(Math.abs(share - expected.get(id)!)).toBeLessThan(2 / points);
          expect(logProb).toBeCloseTo(Math.log(expected.get(id)!), 5);
        }
      }),
      { numRuns: 150, seed: 7 },
    );
  });

  it.each([
    [{ temperature: 0 }, { 2: 1 }],
    [{}, { 0: 0.1, 1: 0.2, 2: 0.4, 3: 0.3 }],
    [{ topK: 2 }, { 2: 4 / 7, 3: 3 / 7 }],
    [{ topP: 0.69 }, { 2: 4 / 7, 3: 3 / 7 }],
    [{ topP: 0.71 }, { 2: 4 / 9, 3: 3 / 9, 1: 2 / 9 }],
    [{ minP: 0.3 }, { 1: 2 / 9, 2: 4 / 9, 3: 3 / 9 }],
    [
      { topK: 3, topP: 0.7 },
      { 2: 4 / 7, 3: 3 / 7 },
    ],
    [{ temperature: 0.5 }, { 0: 1 / 30, 1: 4 / 30, 2: 16 / 30, 3: 9 / 30 }],
  ])('by hand: %o of 0.1, 0.2, 0.4, 0.3', (chosen, expected) => {
    const logits = [0.1, 0.2, 0.4, 0.3].map(Math.log);
    const found = drawn(logits, { ...plain, ...chosen }, 9000);
    expect([...found.keys()].sort()).toEqual(Object.keys(expected).map(Number).sort());
    for (const [id, probability] of Object.entries(expected)) {
      expect(found.get(Number(id))!.share).toBeCloseTo(probability, 3);
      expect(found.get(Number(id))!.logProb).toBeCloseTo(Math.log(probability), 5);
    }
  });

  it('of logits that are not finite is refused by name', () => {
    const drawer = new TokenDrawer(2);
    for (const bad of [NaN, Infinity]) {
      for (const temperature of [1, 0]) {
        const draw = () => drawer.draw(Float32Array.of(0, bad), 0, { ...plain, temperature }, 0.5);
        expect(draw).toThrow(/logits are not finite/);
      }
    }
    const between = Float32Array.of(1, NaN, 2);
    const greedy = () => new TokenDrawer(3).draw(between, 0, { ...plain, temperature: 0 }, 0.5);
    expect(greedy).toThrow(/logits are not finite/);
  });
});
