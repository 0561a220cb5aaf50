import { describe, expect, it } from 'vitest';
import { add, exp, gemm, reshape, sum } from './build.ts';
import { gradient } from './gradient.ts';
import { Graph } from './graph.ts';
import { peakMemory } from './memory.ts';

const rows = (n: number) => new Map([['N', n]]);

describe('memory of a run', () => {
  it('counts what lives together, by hand', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', ['N', 4]);
    const w = graph.input('w', 'float32', [4, 8]);
    // y [N, 8]; e takes y's place; z [N, 8] of e and w2 while both are there; inputs are the caller's.
    const e = exp(gemm(x, w));
    const z = gemm(e, graph.input('w2', 'float32', [8, 8]));
    expect(peakMemory([z], rows(10))).toBe(2 * 10 * 8 * 4);
    // A result that somebody else reads later is not overwritten.
    expect(peakMemory([add(z, e)], rows(10))).toBe(2 * 10 * 8 * 4);
    expect(peakMemory([z, e], rows(10))).toBe(2 * 10 * 8 * 4);
    // Another shape of it is the same memory.
    expect(peakMemory([reshape(z, ['N', 2, 4])], rows(10))).toBe(2 * 10 * 8 * 4);
  });

  it('grows with what is kept for the way back, and recomputed segments keep their beginnings only', () => {
    const peakOf = (depth: number, recomputed: boolean) => {
      const graph = new Graph();
      const w = graph.input('w', 'float32', [16, 16]);
      let x = graph.input('x', 'float32', ['N', 16]);
      const segments = Array.from({ length: depth }, () => {
        const from = x;
        for (let i = 0; i < 4; i += 1) x = exp(gemm(x, w));
        return { from, to: x };
      });
      return peakMemory(gradient(sum(x), [w], undefined, recomputed ? segments : []), rows(1000));
    };
    const block = 4 * 1000 * 16;
    // Four kept results a segment, or one.
    expect(peakOf(12, false) - peakOf(6, false)).toBe(6 * 4 * block);
    expect(peakOf(12, true) - peakOf(6, true)).toBe(6 * block);
  });
});
