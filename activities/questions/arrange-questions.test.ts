import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mixQuestionsFiles, splitQuestionsFile } from './arrange-questions.ts';
import { checkQuestions, questionsStats, showQuestions } from './inspect-questions.ts';
import { loadQuestionsFile } from './load-questions.ts';

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arrange-'));
  const row = (i: number, kind: string) =>
    JSON.stringify({ id: `${kind}${i}`, question: `Compute ${i} plus ${kind}.`, answer: i, kind, difficulty: i });
  await writeFile(at('a.jsonl'), Array.from({ length: 10 }, (_, i) => row(i, 'a')).join('\n'));
  await writeFile(at('b.jsonl'), Array.from({ length: 40 }, (_, i) => row(i, 'b')).join('\n'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const ids = async (name: string) => (await loadQuestionsFile(at(name))).questions.map(({ id }) => id);

it('splits by seed, whatever the order of the file', async () => {
  const options = { file: at('a.jsonl'), ratio: 0.8, seed: '7', out: [at('t.jsonl'), at('h.jsonl')] as const };
  const report = await splitQuestionsFile(options);
  expect([report.first.count, report.second.count]).toEqual([8, 2]);
  const [train, held] = [await ids('t.jsonl'), await ids('h.jsonl')];
  expect([...train, ...held].sort()).toEqual(await ids('a.jsonl'));
  const { questions } = await loadQuestionsFile(at('a.jsonl'));
  const reversed = [...questions].reverse().map((q) => JSON.stringify(q));
  await writeFile(at('r.jsonl'), reversed.join('\n'));
  await splitQuestionsFile({ ...options, file: at('r.jsonl'), out: [at('t2.jsonl'), at('h2.jsonl')] });
  expect((await ids('h2.jsonl')).sort()).toEqual([...held].sort());
  await expect(splitQuestionsFile({ ...options, ratio: 1 })).rejects.toThrow('split ratio is 1');
  await expect(splitQuestionsFile({ ...options, kinds: ['z'] })).rejects.toThrow('kinds in the file: a');
});

it('writes both sides of a split, or neither', async () => {
  const options = { file: at('a.jsonl'), ratio: 0.5, seed: '7', overwrite: true };
  const one = [at('one.jsonl'), `${folder}/./one.jsonl`] as const;
  await expect(splitQuestionsFile({ ...options, out: one })).rejects.toThrow('both sides would go to');
  await writeFile(at('there.jsonl'), '');
  const out = [at('new.jsonl'), at('there.jsonl')] as const;
  await expect(splitQuestionsFile({ ...options, out, overwrite: false })).rejects.toThrow('exists already');
  expect(await readdir(folder)).not.toContain('new.jsonl');
});

it('mixes in shares, without repeats, filtered by difficulty', async () => {
  const sources = [
    { file: at('a.jsonl'), weight: 1 },
    { file: at('b.jsonl'), weight: 3 },
  ];
  const report = await mixQuestionsFiles({ sources, total: 20, seed: '1', out: at('m.jsonl') });
  expect(report.from.map(({ count }) => count)).toEqual([5, 15]);
  expect(new Set(await ids('m.jsonl')).size).toBe(20);
  const largest = await mixQuestionsFiles({ sources, seed: '1', out: at('m2.jsonl'), minDifficulty: 5 });
  expect(largest.from.map(({ count }) => count)).toEqual([5, 15]);
  await expect(mixQuestionsFiles({ sources, total: 50, seed: '1', out: at('m3.jsonl') })).rejects.toThrow(
    'ask for fewer',
  );
});

it('shows, counts and checks', async () => {
  expect((await showQuestions({ file: at('a.jsonl'), id: 'a3' }))[0]!.text).toBe('Compute 3 plus a.');
  await expect(showQuestions({ file: at('a.jsonl'), id: 'a' })).rejects.toThrow('similar ids: a0, a1');
  const stats = await questionsStats({ file: at('a.jsonl') });
  expect(stats).toMatchObject({
    count: 10,
    math: 10,
    wholeNumberGold: 1,
    difficulty: { min: 0, median: 4.5, mean: 4.5, max: 9, known: 10 },
  });
  const long =
    'In a village every third house is painted blue and the others are white. How many of 90 houses are blue?';
  await writeFile(at('train.jsonl'), JSON.stringify({ id: 't', question: long, answer: 30 }));
  await writeFile(
    at('held.jsonl'),
    [
      { id: 'same', question: `${long.toUpperCase()} `, answer: 30 },
      { id: 'near', question: long.replace('90', '60'), answer: 20 },
      { id: 'far', question: 'How many primes are there below twenty, counting two as the first of them?', answer: 8 },
    ]
      .map((row) => JSON.stringify(row))
      .join('\n'),
  );
  const report = await checkQuestions({ file: at('train.jsonl'), heldOut: at('held.jsonl') });
  expect(report.contamination.map(({ heldOutId, same }) => [heldOutId, same])).toEqual([['same', true], ['near', false]]); // prettier-ignore
  // 21 words give 14 grams of 8; changing word 18 breaks the grams that start at words 11 to 14: 10 of 14 stay.
  expect(report.contamination[1]!.overlap).toBeCloseTo(10 / 14, 12);
  expect(report.clean).toBe(false);
});
