/** Whole command lines in this process: what they print where, and their exit codes. No server is needed here. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { identify } from '../bootstrap/identity.mjs';
import { commandTable } from './commands/table.ts';
import { changeRecord, withProcess } from './stack/record.ts';
import { runCommandLine } from '../tests/helpers/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'metaagentx-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...argv: string[]) => runCommandLine(argv);

const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('usage', () => {
  it('lists every command in the overview', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    for (const { name, summary } of commandTable) {
      expect(stdout).toMatch(new RegExp(`^  ${name} .*${summary.slice(0, 20)}`, 'm'));
    }
  });

  it.each(commandTable.map(({ name }) => name))('%s refuses an unknown option', async (name) => {
    const { code, stdout, stderr } = await run(name, '--no-such-option');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/unknown option '--no-such-option'|unknown command|required option|missing required/);
  });

  it('refuses an unknown command and suggests one', async () => {
    const { code, stderr } = await run('trian');
    expect(code).toBe(2);
    expect(stderr).toMatch(/unknown command 'trian'[\s\S]*train/);
  });

  it('prints one JSON object also when the command line is wrong', async () => {
    const { code, stdout } = await run('train', '--json', '--seed', 'x', '--recipe', 'toy');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      error: { name: 'InvalidInput', message: expect.stringMatching(/'x' is invalid.*whole number/) as string },
      exitCode: 2,
    });
  });
});

describe('train refuses before anything starts', () => {
  const good = '{"question": "1+1?", "answer": "It is 2.\\n#### 2"}';
  it.each<[string, string[], RegExp]>([
    [
      'a malformed line',
      ['--recipe', 'smoke', '--questions', file('bad.jsonl', `${good}\n{"question": "2+2?"}\n`)],
      /bad\.jsonl:2: /,
    ],
    [
      'a line that is not JSON',
      ['--recipe', 'smoke', '--questions', file('cut.jsonl', `${good}\n{"question": \n`)],
      /cut\.jsonl:2: /,
    ],
    ['an empty file', ['--recipe', 'smoke', '--questions', file('empty.jsonl', '')], /holds no question/],
    ['a missing file', ['--recipe', 'smoke', '--questions', join(folder, 'none.jsonl')], /none\.jsonl/],
    [
      'questions beyond the context',
      [
        '--recipe',
        'smoke',
        '--questions',
        file('long.jsonl', `${good}\n${JSON.stringify({ question: 'why? '.repeat(2_000), answer: '3' })}\n`),
      ],
      /1 question of long\.jsonl do not fit .* 2048 tokens.*--skip-long/,
    ],
    ['an unknown recipe', ['--recipe', 'toyy'], /there is no recipe 'toyy': expected one of .*smoke, teacher, toy/],
    ['an unknown field', ['--recipe', 'toy', '--set', 'update.rate=1'], /update: Unrecognized key: "rate"/],
    ['a bad run id', ['--recipe', 'toy', '--run-id', 'a/b'], /a\/b/],
    ['a missing model folder', ['--recipe', 'metaagentx-qwen3-8b'], /models\/Qwen3-8B.*config\.json/],
    ['detaching from its own workers', ['--recipe', 'toy', '--detach', '--with-stack'], /exclude each other/],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await run('train', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/bug in metaagentx|: starting/);
  });
});

it.each([
  ['fork', 'toy-1@latest', '--run-id', 'other'],
  ['resume', 'toy-1'],
  ['study', 'smoke'],
  ['coldstart', 'train', 'set-1', '--recipe', 'smoke'],
])('%s does not detach from its own workers', async (...argv) => {
  const { code, stdout, stderr } = await run(...argv, '--detach', '--with-stack');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/exclude each other/);
  expect(stderr).not.toMatch(/: starting/);
});

it.each(['ui', 'codec-server'])('%s takes no port that does not exist', async (name) => {
  const { code, stderr } = await run(name, '--port', '99999');
  expect(code).toBe(2);
  expect(stderr).toMatch(/expected a port from 0 to 65535/);
});

it('a table that is compared is not printed as CSV', async () => {
  const { code, stderr } = await run('eval', 'show', 'toy-1/eval-stage-01', '--recompute', '--csv', 'metrics');
  expect(code).toBe(2);
  expect(stderr).toMatch(/--recompute compares and prints no CSV/);
});

it.each<[string[], RegExp]>([
  [['eval', 'toy-1', '--search-rounds', '3'], /of no effect without .* \(aflow, adas, maas\): --search-rounds\./],
  [
    ['eval', 'toy-1', '--system', 'debate', '--search-questions', '3', '--search-calls', '9'],
    /: --search-questions, --search-calls\./,
  ],
  [['eval', 'toy-1', '--csv', 'metrics', '--json'], /leave out one of the two/],
  [['eval', 'show', 'toy-1/eval-stage-01', '--csv', 'metrics', '--json'], /leave out one of the two/],
  [['study', 'show', 'smoke', '--csv', 'cells', '--json'], /leave out one of the two/],
  [['study', 'smoke', '--detach', '--out', folder], /--out is for the command that waits/],
])('%j: no option is left unused', async (argv, message) => {
  const { code, stderr } = await run(...argv);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/: starting/);
});

it('a training that is no system to be measured is started as it is said', async () => {
  const { code, stderr } = await run('eval', 'toy-1', '--system', 'scoreflow');
  expect(code).toBe(2);
  const [, words] = /`npx metaagentx (.*)`/.exec(stderr)!;
  // Everything is checked before servers are looked for, and here are none.
  expect(await runCommandLine(words!.split(' '), { METAAGENTX_STATE: folder })).toMatchObject({ code: 4 });
});

it('a dashboard elsewhere than asked for is not shown instead', async () => {
  const me = identify(process.pid);
  const entry = { name: 'dashboard', identity: me, supervisor: me, log: '' };
  await changeRecord(folder, (record) => ({ ...withProcess(record, entry), dashboardPort: 8280 }));
  const environment = { METAAGENTX_STATE: folder, MONGODB_URI: 'nonsense' };
  expect((await runCommandLine(['ui'], environment)).stdout).toContain('dashboard: http://127.0.0.1:8280');
  expect(await runCommandLine(['ui', '--host', '0.0.0.0'], environment)).toMatchObject({ stdout: '' });
});
