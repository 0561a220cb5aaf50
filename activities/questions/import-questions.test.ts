import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CodeVerifier } from '../../shared/domain/question.ts';
import { importQuestions } from './import-questions.ts';
import { loadQuestionsFile } from './load-questions.ts';

const fixture = (name: string) => new URL(`../../tests/fixtures/questions/${name}`, import.meta.url).pathname;
let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'questions-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function imported(format: string, file: string, extra = {}) {
  const out = join(folder, `${format}-${file}.jsonl`);
  const report = await importQuestions({ format, files: [fixture(file)], out, overwrite: true, ...extra });
  const loaded = await loadQuestionsFile(out);
  expect(loaded.digest).toBe(report.digest);
  expect(
    createHash('sha256')
      .update(await readFile(out))
      .digest('hex'),
  ).toBe(report.digest);
  return { report, ...loaded };
}
const golds = (questions: Awaited<ReturnType<typeof imported>>['questions']) =>
  questions.map(({ verifier }) => ('tests' in verifier ? verifier.tests : 'gold' in verifier ? verifier.gold : null));

describe('loaders read the published layouts', () => {
  it.each([
    ['aime', 'aime-2024.jsonl', ['249', '6']],
    ['aime', 'aime-2025.parquet', ['70', '336']],
    ['gsm8k', 'gsm8k.jsonl', ['1200', '-3']],
    ['math', 'math.jsonl.gz', ['\\frac{1}{2}', '(1,2)']],
    ['olympiadbench', 'olympiadbench.json', ['$2,-2$', '5']],
    ['dapo', 'dapo.jsonl', ['42', '125']],
    ['polaris', 'polaris.jsonl', ['55']],
    ['generic', 'generic.jsonl', ['2', '\\frac12', '4', [{ input: 'a', expected: 'a' }]]],
  ])('%s from %s', async (format, file, expected) => {
    const { questions, provenance } = await imported(format, file);
    expect(golds(questions)).toEqual(expected);
    expect(provenance.made).toBe(`import ${format}`);
    expect(provenance.sources[0]).toMatchObject({ name: file, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it('keeps ids apart where files number their rows', async () => {
    const { questions } = await imported('aime', 'aime-2025.parquet');
    expect(questions.map(({ id }) => id)).toEqual(['aime-2025-0', 'aime-2025-1']);
  });

  it('takes the DAPO wrapper off and reads difficulty where it is given', async () => {
    expect((await imported('dapo', 'dapo.jsonl')).questions[0]!.text).toBe('What is $6\\cdot 7$?');
    expect((await imported('polaris', 'polaris.jsonl')).questions[0]!.difficulty).toBe(0.75);
    expect(
      (await imported('math', 'math.jsonl.gz')).questions.map(({ difficulty, kind }) => [difficulty, kind]),
    ).toEqual([
      [2, 'Prealgebra'],
      [4, 'Geometry'],
    ]);
  });

  it('skips what a text verifier cannot judge, by reason', async () => {
    const { report } = await imported('olympiadbench', 'olympiadbench.json');
    expect(report.skipped).toEqual({
      'not open-ended': 1,
      'not text-only': 1,
      'not English': 1,
      'needs a person to judge': 1,
    });
    expect(report.records).toBe(6);
  });

  it('LiveCodeBench: public and compressed private tests, functional inputs as argument lists', async () => {
    const { questions } = await imported('livecodebench', 'livecodebench.jsonl');
    const [stdio, call] = questions.map(({ verifier }) => verifier as CodeVerifier);
    expect(stdio).toMatchObject({ style: 'stdio', functionName: null });
    expect(stdio!.tests).toEqual([
      { input: '1 2\n', expected: '3\n' },
      { input: '5 6\n', expected: '11\n' },
      { input: 'é 1\n', expected: '1\n' },
    ]);
    expect(call).toMatchObject({ style: 'call', functionName: 'addAll', argumentsForm: 'array', compare: 'exact' });
    expect(call!.tests).toEqual([
      { input: '[[1,2],3]', expected: '[4,5]' },
      { input: '[[],0]', expected: '[]' },
    ]);
    const few = await imported('livecodebench', 'livecodebench.jsonl', { maxTests: 1 });
    expect((few.questions[0]!.verifier as CodeVerifier).tests).toHaveLength(1);
  });

  it('APPS: standard input and call-based, return values unwrapped', async () => {
    const { questions, report } = await imported('apps', 'apps.jsonl');
    const [stdio, call] = questions.map(({ verifier }) => verifier as CodeVerifier);
    expect(stdio!.tests).toEqual([{ input: 'ab\n', expected: 'abab\n' }]);
    expect(call).toMatchObject({ functionName: 'total', argumentsForm: 'array', starterCode: 'def total(xs):\n\t' });
    expect(call!.tests).toEqual([
      { input: '[[1,2]]', expected: '3' },
      { input: '[[]]', expected: '0' },
    ]);
    expect(report.skipped).toEqual({ 'has no tests': 1 });
  });

  it('CodeContests: three groups of tests and the limits of the contest', async () => {
    const { questions } = await imported('codecontests', 'codecontests.parquet');
    expect(questions).toHaveLength(1);
    expect(questions[0]).toMatchObject({
      id: 'codecontests-1575_A._Another_Sorting_Problem',
      difficulty: 1100,
      kind: 'codeforces',
    });
    expect(questions[0]!.verifier).toMatchObject({ timeLimitMs: 2500, memoryLimitMb: 256 });
    expect((questions[0]!.verifier as CodeVerifier).tests.map(({ expected }) => expected)).toEqual([
      'a\nb\n',
      'z\n',
      'y\n',
    ]);
  });
});

/** format, record (text = the raw line), the exact text after `file:1: `. */
const bad: [string, unknown, string][] = [
  ['generic', '{"question":', '(line): is not JSON: '],
  ['generic', '[1]', '(line): is a list of 1, expected an object'],
  ['generic', { answer: '1' }, 'question|problem|input|prompt|text: is missing, expected text'],
  ['generic', { question: '  ', answer: '1' }, 'question: is empty, expected text'],
  ['generic', { question: 'q' }, 'answer|target|final_answer|expected_answer|gold|solution: is missing, expected the answer as text or number'],
  ['generic', { question: 'q', answer: [1] }, 'answer: is a list of 1, expected text or a number'],
  ['generic', '{"question":"q","answer":12345678901234567890}', 'answer: is 12345678901234567000, beyond 2^53'],
  ['generic', { question: 'q\uFFFD', answer: '1' }, 'question: holds U+FFFD, the mark of text decoded with the wrong encoding'],
  ['generic', { question: 'q', solution: 'so 3' }, "solution: holds no '\\boxed{…}' and no '#### n'"],
  ['generic', { question: 'q', tests: [] }, 'tests: is a list of 0, expected a list of at least one {input, expected}'],
  ['generic', { question: 'q', tests: [{ input: 1, output: '1' }] }, 'tests[0].input: is number 1, expected text'],
  ['generic', { text: 'q', id: 'a', verifier: { type: 'essay' } }, "verifier.type: is string \"essay\", expected 'math' or 'code'"],
  ['aime', { problem: 'q', answer: '1000' }, "answer: is '1000', expected a whole number from 0 to 999"],
  ['gsm8k', { question: 'q', answer: 'forty' }, "answer: has no line '#### n' with the final answer"],
  ['gsm8k', { question: 'q', answer: '#### many' }, "answer: ends in '#### many', expected a number"],
  ['math', { problem: 'q', solution: 'It is $\\boxed{3$.' }, "solution: holds no '\\boxed{…}' with the final answer"],
  ['olympiadbench', { question: 'q', final_answer: [] }, 'final_answer: is a list of 0, expected a list of at least one answer'],
  ['dapo', { prompt: 'q', reward_model: {} }, 'reward_model.ground_truth: is missing, expected the answer'],
  ['polaris', { problem: 'q', answer: '1', difficulty: 'hard' }, "difficulty: is 'hard', expected solved/tried such as '3/8'"],
  ['livecodebench', { question_id: 'a', question_content: 'q', private_test_cases: '{bad' }, 'private_test_cases: is neither a JSON list nor base64 text'],
  ['livecodebench', { question_id: 'a', question_content: 'q', private_test_cases: 'AAAA' }, 'private_test_cases: cannot be decompressed: '],
  ['livecodebench', { question_id: 'a', question_content: 'q', public_test_cases: '[{"input":"1"}]' }, 'public_test_cases[0].output: is missing, expected text'],
  ['apps', { problem_id: 1, question: 'q', input_output: '{"inputs":["1"],"outputs":[]}' }, 'input_output: has 1 inputs but 0 outputs, expected as many of each'],
  ['apps', { problem_id: 1, question: 'q', input_output: '{' }, 'input_output: holds no JSON: '],
  ['codecontests', { name: 'n', description: 'd', public_tests: { input: ['1'], output: ['1'] }, time_limit: { seconds: 0, nanos: 0 } }, 'time_limit: is number 0, expected more than 0'],
]; // prettier-ignore

describe('malformed records are refused with file, line, field and reason', () => {
  it.each(bad.map(([format, record, message], i) => ({ format, record, message, i })))(
    '$format: $message',
    async ({ format, record, message, i }) => {
      const file = join(folder, `bad-${i}.jsonl`);
      await writeFile(file, `${typeof record === 'string' ? record : JSON.stringify(record)}\n`);
      const options = { format, files: [file], out: join(folder, `bad-${i}.out`) };
      const error = await importQuestions(options).catch((e: unknown) => e);
      expect(error).toMatchObject({ name: 'InvalidInput' });
      expect((error as Error).message.startsWith(`${file}:1: ${message}`), (error as Error).message).toBe(true);
      await expect(importQuestions({ ...options, skipBad: true })).rejects.toThrow('1 malformed');
    },
  );

  it('skipBad counts them and keeps the rest', async () => {
    const file = join(folder, 'mixed.jsonl');
    await writeFile(file, '{"question":"a","answer":"1"}\nnot json\n{"question":"b"}\n{"question":"c","answer":"3"}\n');
    const report = await importQuestions({
      format: 'generic',
      files: [file],
      out: join(folder, 'mixed.out'),
      skipBad: true,
    });
    expect([report.count, report.records, report.bad.count]).toEqual([2, 4, 2]);
    expect(report.bad.messages[1]).toContain(`${file}:3: answer|`);
  });

  it('refuses unknown formats and endings, and keeps an existing file', async () => {
    const out = join(folder, 'x.out');
    await expect(importQuestions({ format: 'aim', files: [], out })).rejects.toThrow(
      "unknown questions format 'aim': expected one of aime, ",
    );
    await expect(importQuestions({ format: 'aime', files: ['x.csv'], out })).rejects.toThrow('expected .jsonl');
    await imported('gsm8k', 'gsm8k.jsonl');
    const again = { format: 'gsm8k', files: [fixture('gsm8k.jsonl')], out: join(folder, 'gsm8k-gsm8k.jsonl.jsonl') };
    await expect(importQuestions(again)).rejects.toThrow('exists already');
  });
});
