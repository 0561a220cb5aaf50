import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pullQuestions } from './pull-questions.ts';

let folder: string;
let hubUrl: string;
let content = '{"question":"1+1?","answer":"#### 2"}\n';
let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  if (request.url === '/datasets/openai/gsm8k/resolve/main/train.jsonl') {
    response.writeHead(302, { location: '/blob/train' }).end();
  } else if (request.url === '/blob/train') {
    response.writeHead(200, { 'x-repo-commit': 'abc123', 'content-length': Buffer.byteLength(content) }).end(content);
  } else if (request.url!.endsWith('/slow.jsonl')) {
    response.writeHead(200).write('{"question"');
  } else if (request.url!.endsWith('/gated.jsonl')) response.writeHead(401).end();
  else if (request.url!.endsWith('/cut.jsonl')) {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{"q":');
    setTimeout(() => response.destroy(), 20);
  } else response.writeHead(404).end();
});
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pull-'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  hubUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await rm(folder, { recursive: true, force: true });
});
const pull = (files: string[], extra = {}) =>
  pullQuestions({ name: 'openai/gsm8k', files, format: 'gsm8k', out: join(folder, 'q.jsonl'), cacheFolder: join(folder, 'cache'), hubUrl, overwrite: true, ...extra }); // prettier-ignore

it('downloads through redirects, pins the digest, serves the second pull from its cache, refuses changed bytes', async () => {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const first = await pull(['train.jsonl']);
  expect(first.files[0]).toMatchObject({ sha256, commit: 'abc123', cached: false, bytes: content.length });
  expect(JSON.parse(await readFile(join(folder, 'q.jsonl.lock.json'), 'utf8'))).toMatchObject({
    repository: 'openai/gsm8k',
    files: [{ sha256 }],
  });
  expect(JSON.parse(await readFile(join(folder, 'q.jsonl.provenance.json'), 'utf8'))).toMatchObject({
    made: 'pull openai/gsm8k (gsm8k)',
    sources: [{ name: 'train.jsonl', sha256, url: `${hubUrl}/datasets/openai/gsm8k/resolve/main/train.jsonl` }],
  });
  const before = requests;
  expect((await pull(['train.jsonl'])).files[0]).toMatchObject({ cached: true });
  expect(requests).toBe(before);
  content = '{"question":"1+2?","answer":"#### 3"}\n';
  await rm(join(folder, 'cache'), { recursive: true });
  await expect(pull(['train.jsonl'])).rejects.toThrow(`expected ${sha256}: the file has changed`);
  expect((await pull(['train.jsonl'], { update: true })).files[0]!.sha256).not.toBe(sha256);
  await expect(pull(['train.jsonl'], { update: true, sha256: { 'train.jsonl': sha256 } })).rejects.toThrow(
    'the file has changed',
  );
});

it('says what went wrong and what to do', async () => {
  const fresh = { out: join(folder, 'other.jsonl') };
  await expect(pull(['none.jsonl'], fresh)).rejects.toThrow('answered 404: the file may have moved');
  await expect(pull(['gated.jsonl'], fresh)).rejects.toThrow('answered 401: the data set wants its terms accepted');
  await expect(pull(['slow.jsonl'], { ...fresh, idleTimeoutMs: 200 })).rejects.toThrow('no byte for 200 ms');
  await expect(pull(['cut.jsonl'], fresh)).rejects.toThrow('cannot download');
  await expect(pull(['../x.jsonl'], fresh)).rejects.toThrow('leaves the repository');
  await expect(pull(['a'], { ...fresh, hubUrl: 'http://127.0.0.1:1' })).rejects.toThrow('cannot download');
  await expect(pull(['a'], { ...fresh, name: 'gsm9k' })).rejects.toThrow("unknown data set 'gsm9k'");
});
