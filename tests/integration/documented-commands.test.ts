/**
 * The commands of README.md and docs/ do what a reader types them for: each that needs no training is run here, word for
 * word, in a folder with the files that it names, over a stored run. The others are listed with the reason; that the
 * program takes their words is tested in `cli/documented-commands.test.ts`.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteFile } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openStore } from '../../activities/store/connect.ts';
import { runCommandLine } from '../helpers/command-line.ts';
import { documentedCommands } from '../helpers/documented-commands.ts';
import { storeRun } from '../helpers/stored-run.ts';

/** Stands for the runs that the documents call so. */
const runId = 'documented-commands';
const standsFor = (word: string) =>
  word
    .replace(/^(my-run|toy-1|RUN|NEW)(?=$|[/@])/, runId)
    .replace('/q-3', '/q-2')
    .replace('--json', '');

/** Beginnings of command lines that are not run, and why. */
const notRun: Record<string, string> = {
  train: 'trains: tests/browser, tests/integration/telemetry.test.ts',
  'coldstart collect': 'asks a teacher: tests/integration/coldstart.test.ts',
  'coldstart teacher': 'asks a teacher: tests/integration/coldstart.test.ts',
  'coldstart train': 'trains: tests/integration/coldstart.test.ts',
  'coldstart show': 'needs a collected set: tests/integration/coldstart.test.ts',
  resume: 'needs a workflow that ended: tests/integration/recovery.test.ts',
  fork: 'trains: tests/integration/recovery.test.ts',
  repair: 'needs damaged weights: tests/integration/recovery.test.ts',
  audit: 'needs histories: tests/integration/chaos.test.ts',
  pause: 'needs a workflow that runs: tests/workflows',
  unpause: 'needs a workflow that runs: tests/workflows',
  stop: 'needs a workflow that runs: tests/workflows',
  decide: 'needs a run that waits: tests/integration/recovery.test.ts',
  'status toy-1 --watch': 'ends with a workflow; of a run at rest it is `status`',
  'eval toy-1': 'asks a model: tests/integration/measure.test.ts',
  'eval my-run': 'asks a model: tests/integration/measure.test.ts',
  'eval big': 'asks a teacher: tests/integration/coldstart.test.ts',
  'eval show toy-1/eval-stage-02 --recompute': 'needs sampled answers: tests/integration/measure.test.ts',
  'eval show my-run/eval-A --recompute': 'needs sampled answers: tests/integration/measure.test.ts',
  'eval compare': 'needs equal questions and samples: tests/integration/measure.test.ts',
  'study toy-ablations': 'trains: tests/integration/study.test.ts',
  'study FILE': 'trains: tests/integration/study.test.ts',
  'study my-study.ts': 'trains: tests/integration/study.test.ts',
  'study show': 'needs a study: tests/integration/study.test.ts',
  solve: 'asks a model: tests/integration/measure.test.ts',
  deployment: 'needs workers that carry versions: tests/integration/rolling-upgrade.test.ts',
  'codec-server': 'serves until Ctrl-C: tests/integration/payload-encryption.test.ts',
  ui: 'serves until Ctrl-C: tests/browser',
  up: 'serves until Ctrl-C: tests/integration/bootstrap.test.ts',
  down: 'would stop the servers of this clone: tests/integration/bootstrap.test.ts',
  gc: 'must not remove blobs of the test files beside this one: tests/integration/garbage.test.ts',
  worker: 'serves until Ctrl-C: every test with a worker starts one',
  'questions pull': 'needs the network: activities/questions/pull-questions.test.ts',
  'questions import livecodebench': 'the file is another form here: activities/questions/import-questions.test.ts',
  'policy import': 'needs a real model folder: tests/integration/policy.test.ts',
  'policy export': 'needs stored weights: tests/integration/policy.test.ts',
  'policy show POLICY': 'a word for any policy',
  'policy show models/Qwen3-8B': 'a large model',
  'policy show models/Qwen3-0.6B --plan': 'longer than the context of the small model here: cli/policy',
  'policy show my-run@v34': 'needs stored weights: tests/integration/policy.test.ts',
  'questions mix': 'more questions than the files here have: cli/commands/questions/questions.test.ts',
  'script run my-design.js --question 2 + 2? --policy': 'asks a model: tests/integration/measure.test.ts',
  'script run my-design.js --question 6 times 7? --policy': 'asks a model: tests/integration/measure.test.ts',
};

const written = (count: number, from: number) =>
  Array.from({ length: count }, (_, index) =>
    JSON.stringify({
      id: `q${from + index}`,
      question: `What is ${from + index} plus ${from}?`,
      answer: `#### ${2 * from + index}`,
      difficulty: 1 + (index % 5),
    }),
  ).join('\n');
const files: Record<string, string> = {
  'gsm8k.jsonl': written(10, 1),
  'held-out.jsonl': written(5, 50),
  'aime-2025.jsonl': written(5, 60),
  'all.jsonl': written(20, 100),
  'train.jsonl': written(20, 700),
  'math.jsonl': written(20, 200),
  'apps.jsonl': written(10, 300),
  'code.jsonl': written(4, 400),
  FILE: written(4, 500),
  'pairs.jsonl': '{"gold": "1/2", "answer": "\\\\boxed{0.5}"}',
  'my-design.js': "return ensemble([agent('one'), agent('two'), agent('three')]);",
  'design.js': "return agent('one');",
  'reply.md': "I use one agent.\n\n```js\nreturn agent('one');\n```\n",
};

const fixture = (path: string) => join(import.meta.dirname, '../fixtures', path);
let home: string;
let folder: string;

beforeAll(async () => {
  home = process.cwd();
  folder = mkdtempSync(join(tmpdir(), 'metaagentx-documented-'));
  const { mongoUri, database } = inject('stack');
  const store = await openStore({ uri: mongoUri, database });
  const shape = { stages: [5, 30], questions: 3, designs: 2, executions: 1, calls: 1 };
  await storeRun(store, { ...shape, runId, text: (what) => what });
  await store.close();
  const gsm8k = readFileSync(fixture('questions/gsm8k.jsonl'), 'utf8').trim().split('\n');
  const rows = gsm8k.map((line) => JSON.parse(line) as { question: string; answer: string });
  parquetWriteFile({
    filename: join(folder, 'train.parquet'),
    columnData: [
      { name: 'question', data: rows.map(({ question }) => question), type: 'STRING' },
      { name: 'answer', data: rows.map(({ answer }) => answer), type: 'STRING' },
    ],
  });
  mkdirSync(join(folder, 'models'));
  cpSync(fixture('checkpoints/qwen3-f32'), join(folder, 'models/Qwen3-0.6B'), { recursive: true });
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true, force: true });
});

/** Files of the folder as each command line is meant to find them: nothing stands where it writes. */
function prepare(words: readonly string[]): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), `${text}\n`);
  const outputs = words.filter((_word, index) => ['--out', '--rest', '--to', '-o'].includes(words[index - 1] ?? ''));
  for (const output of outputs) rmSync(join(folder, output), { recursive: true, force: true });
}

const ours = documentedCommands().filter(({ program, words }) => program === 'metaagentx' && words.length > 0);
const reasonOf = (words: readonly string[]) =>
  Object.keys(notRun).find((start) => {
    const line = words.join(' ');
    return line === start || line.startsWith(`${start} `) || line.startsWith(`${start}@`);
  });
const run = ours.filter(({ words }) => reasonOf(words) === undefined && !words.includes('…'));

describe('commands of the documents', () => {
  it.each(run.map(({ text, words, where }) => [text, words, where] as const))('%s', async (_text, words, where) => {
    prepare(words);
    const argv = words.map(standsFor).filter((word) => word !== '');
    const { code, stdout, stderr } = await runCommandLine(argv, process.env);
    // On a machine that lacks something, that is what the doctor says.
    const expected = words[0] === 'doctor' ? [0, 1] : [0];
    expect({ where, code: expected.includes(code) ? 0 : code, stderr: code === 0 ? '' : stderr.slice(0, 800) }).toEqual(
      {
        where,
        code: 0,
        stderr: words[0] === 'doctor' && code === 1 ? expect.any(String) : '',
      },
    );
    expect(stdout.length).toBeGreaterThan(0);
  });

  it('are run but for those with a reason, and every reason is needed', () => {
    expect(run.length).toBeGreaterThan(50);
    const needed = new Set(ours.map(({ words }) => reasonOf(words)));
    expect(Object.keys(notRun).filter((start) => !needed.has(start))).toEqual([]);
  });
});
