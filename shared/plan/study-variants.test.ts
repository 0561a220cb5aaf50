import { describe, expect, it } from 'vitest';
import { studySchema } from '../config/study.ts';
import { variantsOf } from './study-variants.ts';

const study = (change: object) =>
  studySchema.parse({ name: 's', description: '', recipe: 'toy', set: ['a=1'], seeds: [0], ...change });

describe('variantsOf', () => {
  it('are those written out, then the cross product of the axes', () => {
    const variants = variantsOf(
      study({
        variants: { debate: { system: 'debate' }, slow: { set: ['b=2'] } },
        axes: { scheme: { coupled: ['s=c'], stagewise: [] }, k: { k1: ['k=1'], k10: ['k=10', 'n=3'] } },
      }),
    );
    expect(variants).toEqual([
      { name: 'debate', set: ['a=1'], system: 'debate', search: {} },
      { name: 'slow', set: ['a=1', 'b=2'], system: null, search: {} },
      { name: 'coupled_k1', set: ['a=1', 's=c', 'k=1'], system: null, search: {} },
      { name: 'coupled_k10', set: ['a=1', 's=c', 'k=10', 'n=3'], system: null, search: {} },
      { name: 'stagewise_k1', set: ['a=1', 'k=1'], system: null, search: {} },
      { name: 'stagewise_k10', set: ['a=1', 'k=10', 'n=3'], system: null, search: {} },
    ]);
  });

  it('refuses none, and names that are taken twice', () => {
    expect(() => variantsOf(study({}))).toThrow(/neither variants nor axes/);
    expect(() => variantsOf(study({ variants: { x: {} }, axes: { a: { x: [] } } }))).toThrow(/two variants named 'x'/);
  });

  it('unknown keys and malformed changes are refused', () => {
    expect(() => study({ speed: 1 })).toThrow(/speed/);
    expect(() => study({ variants: { x: { set: ['update.learningRate'] } } })).toThrow();
    expect(() => study({ seeds: [] })).toThrow();
  });
});
