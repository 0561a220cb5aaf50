import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadQuestionsFile } from './load-questions.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'load-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));
async function load(content: string | Uint8Array) {
  const path = join(folder, 'questions.jsonl');
  await writeFile(path, content);
  return loadQuestionsFile(path);
}

it('digest depends on content and order, not on spacing or key order', async () => {
  const a = await load('{"question":"1+1","answer":"2","id":"a"}\n{"question":"1+2","answer":"3","id":"b"}\n');
  const b = await load(
    '\uFEFF{ "id":"a", "answer":2, "question":"1+1"}\r\n\r\n{"id":"b","question":"1+2","answer":"3"}',
  );
  const c = await load('{"question":"1+2","answer":"3","id":"b"}\n{"question":"1+1","answer":"2","id":"a"}\n');
  expect(b.digest).toBe(a.digest);
  expect(c.digest).not.toBe(a.digest);
});

it('refuses empty files, repeated ids, bad UTF-8, damaged gzip and missing files', async () => {
  await expect(load('\n \n')).rejects.toThrow('holds no question');
  await expect(load('{"id":"a","question":"x","answer":1}\n{"id":"a","question":"y","answer":1}\n')).rejects.toThrow(
    "questions.jsonl:2: id: 'a' is already the id of line 1",
  );
  await expect(load(Buffer.from([0x7b, 0xff, 0x0a]))).rejects.toThrow('is not UTF-8 text');
  await expect(load(Buffer.from([0x7b, 0xe2, 0x82]))).rejects.toThrow('is not UTF-8 text');
  await expect(loadQuestionsFile(join(folder, 'none.jsonl'))).rejects.toThrow('there is no such file');
  await writeFile(join(folder, 'bad.jsonl.gz'), 'no gzip');
  await expect(loadQuestionsFile(join(folder, 'bad.jsonl.gz'))).rejects.toMatchObject({ name: 'InvalidInput' });
});
