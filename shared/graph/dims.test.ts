import { describe, expect, it } from 'vitest';
import { broadcastShapes, pieceOf, productOf, resolveDim, sameShape, showShape, sumOf } from './dims.ts';

const sizes = new Map([
  ['B', 3],
  ['T', 5],
]);

describe('dimensions', () => {
  it('multiply to one canonical form', () => {
    expect(productOf([2, 3])).toBe(6);
    expect(productOf([])).toBe(1);
    expect(productOf(['T', 2, 'B', 2])).toBe('4*B*T');
    expect(productOf(['4*B', 'T'])).toBe(productOf(['B', '4*T']));
    expect(productOf(['B', 0])).toBe(0);
    expect(productOf(['W+1', 1])).toBe('W+1');
    expect(productOf([2, 'W+1'])).not.toBe(productOf([2, 'W', 1]));
  });

  it('add to one canonical form', () => {
    expect(sumOf([2, 3])).toBe(5);
    expect(sumOf([1, 'W'])).toBe('W+1');
    expect(sumOf(['W+1', 2])).toBe('W+3');
    expect(sumOf([pieceOf('B*T', 2, 0), pieceOf('B*T', 2, 1)])).toBe('B*T');
    expect(sumOf([pieceOf('B*T', 3, 0), pieceOf('B*T', 3, 1)])).not.toBe('B*T');
  });

  it('are cut into pieces that are equal but for the end', () => {
    expect([0, 1, 2].map((i) => pieceOf(7, 3, i))).toEqual([3, 3, 1]);
    expect([0, 1, 2, 3].map((i) => pieceOf(5, 4, i))).toEqual([2, 2, 1, 0]);
    expect([0, 1].map((i) => resolveDim(pieceOf('B*T', 2, i), sizes))).toEqual([8, 7]);
    expect(pieceOf('N', 1, 0)).toBe('N');
  });

  it('get their sizes at a run', () => {
    expect(['4*B*T', 'T+2', 7, 'B'].map((dim) => resolveDim(dim, sizes))).toEqual([60, 7, 7, 3]);
    expect(() => resolveDim('2*W', sizes)).toThrow(/2\*W needs a value for W; known: B, T/);
  });
});

describe('shapes', () => {
  it('broadcast as in NumPy; a name fits itself and 1', () => {
    expect(broadcastShapes([2, 1], [3])).toEqual([2, 3]);
    expect(broadcastShapes(['B', 1, 4], ['T', 1])).toEqual(['B', 'T', 4]);
    expect(broadcastShapes([], ['B'])).toEqual(['B']);
    expect(broadcastShapes(['B'], ['T'])).toBeUndefined();
    expect(broadcastShapes(['B'], [2])).toBeUndefined();
    expect(broadcastShapes([2], [3])).toBeUndefined();
  });

  it('compare by dimension and print', () => {
    expect(sameShape(['B', 2], ['B', 2])).toBe(true);
    expect(sameShape(['B'], ['B', 1])).toBe(false);
    expect(showShape(['B', 4])).toBe('[B, 4]');
  });
});
