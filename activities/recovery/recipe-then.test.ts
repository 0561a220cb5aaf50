/** What recipe and rate a version was made with, also after rollbacks and second tries. */
import { describe, expect, it } from 'vitest';
import { iterationId } from '../../shared/domain/ids.ts';
import type { RunDocument } from '../store/documents.ts';
import { rateFactorOf } from '../run-position.ts';
import { rateFactorThen, recipeThen } from './recipe-then.ts';
import { recordAfter } from './undo-record.ts';

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

describe('a chunk that another execution tried again', () => {
  it('counts the decisions of the last one', () => {
    const about = 'chunk 2 of the cold start';
    const decisions = ['first#1', 'first#2', 'second#1'].map((id) => ({ ...lowered(about, 0.5), id }));
    expect(rateFactorThen({ _id: 'r', decisions }, { madeBy: 'cold-start-2' })).toBe(0.5);
  });
});

describe('after a rollback to v6', () => {
  const change = (fromVersion: number | null, before: number, after: number) => ({
    at: new Date(0),
    fromVersion,
    codeVersion: 'c',
    fields: [{ path: 'update.learningRate', before, after }],
  });
  const before = {
    changes: [change(null, 1, 2), change(5, 2, 3), change(8, 3, 4)],
    decisions: [lowered(iterationId('r', 1, 4), 0.5), lowered(iterationId('r', 1, 8), 0.25)],
  };
  const recipe = { update: { learningRate: 4 } } as unknown as RunDocument['recipe'];
  const rateOf = (changes: RunDocument['changes'], version: number) =>
    recipeThen({ recipe, changes }, version).update.learningRate;

  it('what is made again is repaired with the recipe in force now', () => {
    const { changes } = recordAfter(before, 6, []);
    expect([5, 6, 7, 8, 9].map((version) => rateOf(before.changes, version))).toEqual([2, 3, 3, 3, 4]);
    expect([5, 6, 7, 8, 9].map((version) => rateOf(changes, version))).toEqual([2, 3, 4, 4, 4]);
    expect(recordAfter(before, null, []).changes.map(({ fromVersion }) => fromVersion)).toEqual([null, null, null]);
  });

  it('a decision about an iteration that is undone counts no more', () => {
    const undone = [iterationId('r', 1, 9), iterationId('r', 1, 8), iterationId('r', 1, 7)];
    const { decisions } = recordAfter(before, 6, undone);
    expect(decisions.map(({ undone: isUndone }) => isUndone === true)).toEqual([false, true]);
    const after = { _id: 'r', decisions };
    expect([rateFactorOf({ ...after, decisions: before.decisions }), rateFactorOf(after)]).toEqual([0.125, 0.5]);
    expect(rateFactorThen(after, { madeBy: iterationId('r', 1, 9) })).toBe(0.5);
  });
});
