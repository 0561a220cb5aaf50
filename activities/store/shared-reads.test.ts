import { expect, it } from 'vitest';
import { SharedReads } from './shared-reads.ts';

it('joins reads that overlap, and begins anew when they have ended, well or badly', async () => {
  const reads = new SharedReads<number>();
  let begun = 0;
  const begin = async () => {
    begun += 1;
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (begun === 2) throw new Error('the second read fails');
    return begun;
  };
  expect(await Promise.all([reads.read('a', begin), reads.read('a', begin)])).toEqual([1, 1]);
  const failed = await Promise.allSettled([reads.read('a', begin), reads.read('a', begin)]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await reads.read('a', begin)).toBe(3);
  expect(await Promise.all([reads.read('b', begin), reads.read('c', begin)])).toEqual([5, 5]);
});
