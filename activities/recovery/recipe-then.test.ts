/** Which decisions had lowered the rate when a version was made. */
import { describe, expect, it } from 'vitest';
import { iterationId } from '../../shared/domain/ids.ts';
import type { RunDocument } from '../store/documents.ts';
import { rateFactorThen } from './recipe-then.ts';

const lowered = (about: string, factor: number) => ({
  id: about,
  at: new Date(0),
  about,
  failure: 'NonFiniteLoss',
  decision: { choice: 'lower-rate' as const, factor },
});

const run: Pick<RunDocument, '_id' | 'decisions'> = {
  _id: 'r',
  decisions: [
    lowered('chunk 2 of the cold start', 0.1),
    lowered(iterationId('r', 1, 999), 0.5),
    lowered(iterationId('r', 1, 1000), 0.25),
    lowered(iterationId('r', 100, 1), 0.125),
  ],
};

describe('rateFactorThen', () => {
  it.each([
    ['cold-start-1', 1],
    ['cold-start-2', 0.1],
    [iterationId('r', 1, 101), 1],
    [iterationId('r', 1, 998), 1],
    [iterationId('r', 1, 999), 0.5],
    // As text, iter-1000 comes before iter-999, and stage-100 before stage-99.
    [iterationId('r', 1, 1000), 0.125],
    [iterationId('r', 2, 1), 0.125],
    [iterationId('r', 99, 1), 0.125],
    [iterationId('r', 100, 1), 0.015625],
  ])('of %s is %d', (madeBy, factor) => {
    expect(rateFactorThen(run, { madeBy })).toBe(factor);
  });
});
