import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runCommandLine } from '../../../tests/helpers/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'metaagentx-verify-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const run = (...argv: string[]) => runCommandLine(['verify', ...argv]);
const file = (text: string) => {
  const path = join(folder, 'pairs.jsonl');
  writeFileSync(path, text);
  return path;
};

it('judges one pair', async () => {
  expect(await run('--gold', '1/2', '--answer', 'so \\boxed{0.5}')).toEqual({
    code: 0,
    stdout: 'right (decided by: rational; answer found: 0.5)\n',
    stderr: '',
  });
  const { code, stdout } = await run('--gold', '810', '--answer', '\\boxed{809}', '--json');
  expect([code, JSON.parse(stdout)]).toEqual([1, { correct: false, ratio: 0, answer: '809', how: 'different' }]);
});

it('prints one JSON line for each line of a batch, in order, with and without --json', async () => {
  const batch = file(
    [
      { gold: '42', answer: 'It is \\boxed{42}.' },
      { id: 7, gold: 810, answer: '\\boxed{809}', model: 'other fields do not matter' },
      { gold: '\\frac{1}{2}', answer: 0.5 },
      { gold: '3', answer: null },
    ]
      .map((pair) => JSON.stringify(pair))
      .join('\n\n'),
  );
  for (const json of [[], ['--json']]) {
    const { code, stdout, stderr } = await run('--batch', batch, ...json);
    expect(stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown)).toEqual([
      { correct: true, how: 'integer', answer: '42' },
      { id: '7', correct: false, how: 'different', answer: '809' },
      { correct: true, how: 'rational', answer: '0.5' },
      { correct: false, how: 'no-answer', answer: null },
    ]); // prettier-ignore
    expect([code, stderr]).toEqual([0, '4 pairs: 2 right, 2 wrong, 0 malformed\n']);
  }
});

it('refuses malformed lines by file, line, field and reason, or keeps their place with --skip-bad', async () => {
  const batch = file('{"gold":"1","answer":"1"}\n{"gold":"1"}\n{"answer":"1"}\n');
  const { code, stdout, stderr } = await run('--batch', batch);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`${batch}:2: answer: is missing, expected the model's text`);
  const skipped = await run('--batch', batch, '--skip-bad');
  expect(skipped.code).toBe(0);
  expect(
    skipped.stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { how: string }).how),
  ).toEqual(['integer', 'malformed', 'malformed']);
  expect(skipped.stdout).toContain(`${batch}:3: gold: is missing`);
});

it.each([
  [['--gold', '1'], /--answer is missing: give --gold TEXT and --answer TEXT, or --batch/],
  [['--batch', 'x.jsonl', '--gold', '1'], /--batch excludes --gold and --answer/],
  [['--gold', '1', '--answer', '1', '--skip-bad'], /--skip-bad goes with --batch/],
  [['--batch', join(folder, 'none.jsonl')], /none\.jsonl': there is no such file/],
])('refuses %j', async (argv, message) => {
  const { code, stdout, stderr } = await run(...argv);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(message);
});
