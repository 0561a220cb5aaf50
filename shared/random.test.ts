import { describe, expect, it } from 'vitest';
import {
  createStream,
  fillNormal,
  hash32,
  integer,
  normal,
  permutation,
  philox,
  pick,
  streamKey,
  uniform,
} from './random.ts';

describe('philox', () => {
  // Random123 release 1.14.0, tests/kat_vectors, the three lines "philox4x32 10": counter, key, expected.
  const vectors = [
    '00000000 00000000 00000000 00000000 00000000 00000000 6627e8d5 e169c58d bc57ac4c 9b00dbd8',
    'ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff 408f276d 41c83b0e a20bc7c6 6d5451fd',
    '243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0 d16cfe09 94fdcceb 5001e420 24126ea1',
  ];
  it.each(vectors)('gives the published answer for %s', (line) => {
    const words = line.split(' ').map((word) => Number.parseInt(word, 16));
    const out = new Uint32Array(4);
    philox(words[0]!, words[1]!, words[2]!, words[3]!, words[4]!, words[5]!, out);
    expect(Array.from(out)).toEqual(words.slice(6));
  });
});

describe('hash32', () => {
  // Published MurmurHash3 x86-32 answers.
  it.each([
    ['', 0, 0x00000000],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aa', 0x9747b28c, 0x5d211726],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['ππππππππ', 0x9747b28c, 0xd58063c1],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ])('of %j with seed %i', (text, seed, expected) => {
    expect(hash32(text, seed)).toBe(expected);
  });

  it('separates paths that differ in one character, in both words', () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => streamKey(`run/stage-01/iter-001/q-${i}`));
    const pairs = new Set(keys.map((key) => key.high * 4294967296 + key.low));
    expect(pairs.size).toBe(keys.length);
    const independent = keys.filter((key) => (key.low & 0xff) === (key.high & 0xff)).length;
    expect(independent).toBeGreaterThan(20);
    expect(independent).toBeLessThan(160); // 78 expected when the words are unrelated
  });
});

describe('draws', () => {
  it('are functions of path and counter alone', () => {
    const stream = createStream('a/b');
    const forward = [0, 1, 2, 2 ** 40].map((counter) => stream.uniform(counter));
    const backward = [2 ** 40, 2, 1, 0].map((counter) => uniform('a/b', counter)).reverse();
    expect(backward).toEqual(forward);
    expect(uniform(streamKey('a/b'), 1)).toBe(forward[1]);
    expect(new Set(forward).size).toBe(4);
    expect(uniform('a/c', 0)).not.toBe(forward[0]);
  });

  it('keeps its values for ever', () => {
    // Frozen: a change here silently changes every recorded run.
    expect(uniform('run/stage-01/iter-001', 0)).toMatchInlineSnapshot(`0.23669451837531674`);
    expect(permutation('run/questions', 8)).toMatchInlineSnapshot(`
      [
        2,
        5,
        3,
        7,
        6,
        4,
        0,
        1,
      ]
    `);
  });

  it('uniform has the moments and the even cells of U(0,1)', () => {
    const n = 100_000;
    const cells = new Array<number>(64).fill(0);
    let sum = 0;
    let square = 0;
    const key = streamKey('moments');
    for (let i = 0; i < n; i++) {
      const value = uniform(key, i);
      sum += value;
      square += value * value;
      cells[Math.floor(value * 64)]! += 1;
    }
    expect(Math.abs(sum / n - 0.5)).toBeLessThan(0.004); // 4 sigma = 4 / sqrt(12 n)
    expect(Math.abs(square / n - 1 / 3)).toBeLessThan(0.004);
    const chiSquare = cells.reduce((total, count) => total + (count - n / 64) ** 2 / (n / 64), 0);
    expect(chiSquare).toBeGreaterThan(30); // 63 degrees of freedom: 0.01 % to 99.99 %
    expect(chiSquare).toBeLessThan(115);
  });

  it('normal has mean 0, variance 1 and kurtosis 3', () => {
    const values = fillNormal('init/w', new Float32Array(100_001), 2);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + b * b, 0) / values.length;
    const fourth = values.reduce((a, b) => a + b ** 4, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 4)).toBeLessThan(0.1);
    expect(Math.abs(fourth / variance ** 2 - 3)).toBeLessThan(0.15);
    expect(normal('init/w', 3)).toBeCloseTo(values[6]! / 2, 6);
  });

  it('permutation is a permutation, uniform over the orders of three', () => {
    expect(permutation('p', 1000).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = permutation(`p/${i}`, 3).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(130); // 4.5 sigma
    expect(permutation('p', 0)).toEqual([]);
  });

  it('refuses bad counters, bounds and empty lists by name', () => {
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => uniform('x', bad)).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
    }
    expect(() => integer('x', 0, 0)).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
    expect(() => permutation('x', -1)).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
    expect(() => pick('x', [])).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
    expect(pick('x', ['only'])).toBe('only');
  });
});
