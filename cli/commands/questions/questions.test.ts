import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runCommandLine } from '../../../tests/helpers/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'metaagentx-questions-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const fixture = (name: string) => new URL(`../../../tests/fixtures/questions/${name}`, import.meta.url).pathname;
const run = (...argv: string[]) => runCommandLine(['questions', ...argv]);
const json = async (...argv: string[]) => {
  const { code, stdout } = await run(...argv, '--json');
  return { code, data: JSON.parse(stdout) as Record<string, unknown> };
};
const rows = (...texts: string[]) => texts.map((text, i) => JSON.stringify({ id: `q${i}`, question: text, answer: i, difficulty: i })).join('\n'); // prettier-ignore

it('imports a benchmark file and shows it', async () => {
  const out = at('gsm.jsonl');
  const { code, stdout } = await run('import', 'gsm8k', fixture('gsm8k.jsonl'), '--out', out);
  expect(code).toBe(0);
  expect(stdout).toContain(`2 questions to ${out}`);
  const shown = await run('show', out, '--count', '2');
  expect(shown.stdout).toMatch(/^gold +1200$/m);
  expect(shown.stdout).toMatch(/^gold +-3$/m);
  expect((await json('stats', out)).data).toMatchObject({ count: 2, math: 2, wholeNumberGold: 1 });
});

it('shows how a code question is judged', async () => {
  const out = at('lcb.jsonl');
  await run('import', 'livecodebench', fixture('livecodebench.jsonl'), '--out', out, '--max-tests', '2');
  const { stdout } = await run('show', out, '--count', '2');
  expect(stdout).toMatch(/judged by +2 tests \(standard input and output, compared whitespace\)/);
  expect(stdout).toMatch(/judged by +2 tests \(calls addAll, compared exact\)/);
});

it('refuses malformed records by file, line, field and reason; --skip-bad counts them', async () => {
  const file = at('bad.jsonl');
  writeFileSync(file, '{"question":"a","answer":"#### 1"}\n{"question":"b","answer":"none"}\n');
  const refused = await run('import', 'gsm8k', file, '--out', at('bad.out'));
  expect([refused.code, refused.stdout]).toEqual([2, '']);
  expect(refused.stderr).toContain(`${file}:2: answer: has no line '#### n' with the final answer`);
  const { code, stdout, stderr } = await run('import', 'gsm8k', file, '--out', at('bad.out'), '--skip-bad');
  expect([code, stderr.includes(`${file}:2: answer:`)]).toEqual([0, true]);
  expect(stdout).toMatch(/^malformed +1$/m);
});

it('splits, mixes and checks', async () => {
  writeFileSync(at('all.jsonl'), rows('one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'));
  const split = await json(
    'split',
    at('all.jsonl'),
    '--ratio',
    '0.75',
    '--out',
    at('a.jsonl'),
    '--rest',
    at('b.jsonl'),
  );
  expect(split).toMatchObject({ code: 0, data: { first: { count: 6 }, second: { count: 2 }, duplicates: 0 } });
  const mixed = await json('mix', `${at('a.jsonl')}:2`, `${at('b.jsonl')}:1`, '--total', '3', '--out', at('m.jsonl'));
  expect(mixed).toMatchObject({ code: 0, data: { count: 3, from: [{ count: 2 }, { count: 1 }] } });
  const same = await json('check', at('a.jsonl'), '--held-out', at('a.jsonl'));
  expect([same.code, same.data.clean, (same.data.contamination as unknown[]).length]).toEqual([1, false, 6]);
  const clean = await run('check', at('a.jsonl'), '--held-out', at('b.jsonl'));
  expect([clean.code, clean.stdout]).toEqual([0, `6 questions of ${at('a.jsonl')} against 2 questions of ${at('b.jsonl')}: nothing found\n`]); // prettier-ignore
  const hard = await json('split', at('all.jsonl'), '--ratio', '0.5', '--min-difficulty', '6', '--out', at('h.jsonl'), '--rest', at('i.jsonl')); // prettier-ignore
  expect(hard.data).toMatchObject({ first: { count: 1 }, second: { count: 1 } });
});

it('pulls from a hub, sends the token there and not to where it redirects', async () => {
  const seen: Record<string, string | undefined> = {};
  const files = createServer((request, response) => {
    seen['files'] = request.headers.authorization;
    response.end('{"question":"1+1?","answer":"#### 2"}\n');
  });
  await new Promise<void>((done) => files.listen(0, '127.0.0.1', done));
  const port = (files.address() as AddressInfo).port;
  const hub = createServer((request, response) => {
    seen['hub'] = request.headers.authorization;
    response.writeHead(302, { location: `http://127.0.0.1:${port}${request.url}`, 'x-repo-commit': 'c1' }).end();
  });
  await new Promise<void>((done) => hub.listen(0, '127.0.0.1', done));
  const environment = { METAAGENTX_CACHE: at('cache'), HF_ENDPOINT: `http://127.0.0.1:${(hub.address() as AddressInfo).port}`, HF_TOKEN: 'secret' }; // prettier-ignore
  const argv = ['questions', 'pull', 'me/set', '--file', 'a/train.jsonl', '--format', 'gsm8k', '--out', at('p.jsonl')];
  try {
    const { code, stderr } = await runCommandLine(argv, environment);
    expect([code, stderr]).toEqual([0, '']);
    expect(seen).toEqual({ hub: 'Bearer secret', files: undefined });
    expect(readFileSync(at('p.jsonl'), 'utf8')).toContain('"gold":"2"');
    const again = await runCommandLine([...argv, '--overwrite'], environment);
    expect(again.stdout).toContain('(cached)');
    const pinned = await runCommandLine([...argv, '--overwrite', '--sha256', `a/train.jsonl=${'0'.repeat(64)}`], environment); // prettier-ignore
    expect([pinned.code, pinned.stderr.includes('the file has changed')]).toEqual([2, true]);
  } finally {
    await Promise.all([files, hub].map((server) => new Promise((done) => server.close(done))));
  }
});

it('says that a question is not there as of anything that is looked for by name', async () => {
  const { code, stdout, stderr } = await run('show', at('all.jsonl'), '--id', 'q9');
  expect([code, stdout]).toEqual([3, '']);
  expect(stderr).toMatch(/all\.jsonl' has no question 'q9'/);
});

it.each([
  [['import', 'gsm9k', 'x.jsonl'], /'gsm9k' is invalid for argument 'format'. Allowed choices are aime/],
  [['show', at('none.jsonl')], /none\.jsonl': there is no such file/],
  [['split', at('all.jsonl'), '--ratio', '2', '--out', 'x', '--rest', 'y'], /split ratio is 2/],
  [
    ['mix', `${at('all.jsonl')}:0`, '--out', at('z.jsonl')],
    /weight in '.*all\.jsonl:0' is '0', expected a number above 0/,
  ],
  [['pull', 'gsm9k'], /unknown data set 'gsm9k': expected one of aime-2024/],
])('refuses %j', async (argv, message) => {
  const { code, stdout, stderr } = await run(...argv);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(message);
});
