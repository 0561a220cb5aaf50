import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BlobReader, Blobs } from './blobs.ts';
import { withLocalCopies } from './local-copies.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'copies-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const bytesOf = (size: number, seed: number) => Uint8Array.from({ length: size }, (_, at) => (at * 7 + seed) % 251);

/** A store that counts what it is asked for, and gives bytes in two pieces. */
function storeOf(...contents: Uint8Array[]) {
  const fetched: string[] = [];
  const read = async <Result>(digest: string, open: (bytes: number) => BlobReader<Result>): Promise<Result> => {
    fetched.push(digest);
    const bytes = contents.find((content) => digestOf(content) === digest)!;
    const reader = open(bytes.length);
    reader.push(bytes.subarray(0, 3));
    reader.push(bytes.subarray(3));
    return reader.finish();
  };
  return { fetched, blobs: { read } as unknown as Blobs };
}

it('fetches once, and again where the copy is damaged', async () => {
  const content = bytesOf(1000, 1);
  const digest = digestOf(content);
  const { fetched, blobs } = storeOf(content);
  const copies = withLocalCopies(blobs, { folder, maxBytes: 5000 });
  expect(await copies.get(digest)).toEqual(Buffer.from(content));
  expect(await copies.get(digest)).toEqual(Buffer.from(content));
  expect(fetched).toEqual([digest]);
  expect(await readdir(folder)).toEqual([digest]);
  await writeFile(join(folder, digest), bytesOf(1000, 2));
  expect(await copies.get(digest)).toEqual(Buffer.from(content));
  expect(fetched).toEqual([digest, digest]);
  expect(digestOf(await readFile(join(folder, digest)))).toBe(digest);
});

it('keeps within its bytes: the least recently read goes, a larger blob is not copied', async () => {
  const [a, b, c, huge] = [bytesOf(400, 1), bytesOf(400, 2), bytesOf(400, 3), bytesOf(2000, 4)];
  const { blobs } = storeOf(a, b, c, huge);
  const copies = withLocalCopies(blobs, { folder, maxBytes: 1000 });
  await copies.get(digestOf(a));
  await copies.get(digestOf(b));
  await utimes(join(folder, digestOf(a)), 2000, 2000);
  await utimes(join(folder, digestOf(b)), 1000, 1000);
  await copies.get(digestOf(c));
  await copies.get(digestOf(huge));
  expect((await readdir(folder)).sort()).toEqual([digestOf(a), digestOf(c)].sort());
});

it('reads on where no copy can be written', async () => {
  const content = bytesOf(100, 5);
  const notAFolder = join(folder, 'file');
  await writeFile(notAFolder, '');
  const copies = withLocalCopies(storeOf(content).blobs, { folder: notAFolder, maxBytes: 1000 });
  expect(await copies.get(digestOf(content))).toEqual(Buffer.from(content));
});

it('passes a refusal of the reader on, and keeps no copy of what failed half-way', async () => {
  const content = bytesOf(100, 6);
  const copies = withLocalCopies(storeOf(content).blobs, { folder, maxBytes: 1000 });
  const refusing = () => ({
    push: () => {
      throw new Error('no tensors');
    },
    finish: () => null,
  });
  await expect(copies.read(digestOf(content), refusing)).rejects.toThrow('no tensors');
  expect(await readdir(folder)).toEqual([]);
  await copies.get(digestOf(content));
  await expect(copies.read(digestOf(content), refusing)).rejects.toThrow('no tensors');
});
