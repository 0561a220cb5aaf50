/**
 * Streams a text file line by line, gunzipped where its name ends in `.gz`, and refuses bytes that are not UTF-8.
 * Knows nothing of what the lines mean. Memory holds one chunk and one line.
 */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { PassThrough } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DomainError } from '../../shared/errors.ts';

/** Yields `[line, number]` (from 1), without line ends and without a byte-order mark. Throws `InvalidInput`. */
export async function* readLines(path: string): AsyncGenerator<[string, number]> {
  let number = 0;
  let rest = '';
  for await (const text of readText(path)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield [line.endsWith('\r') ? line.slice(0, -1) : line, (number += 1)];
  }
  if (rest !== '') yield [rest.endsWith('\r') ? rest.slice(0, -1) : rest, number + 1];
}

/** The file's text in chunks that never split a character. */
export async function* readText(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let seen = 0;
  for await (const chunk of readBytes(path)) {
    let text: string;
    try {
      text = decoder.decode(chunk, { stream: true });
    } catch {
      throw notUtf8(path, seen, seen + chunk.length);
    }
    seen += chunk.length;
    if (text !== '') yield text;
  }
  try {
    decoder.decode();
  } catch {
    throw notUtf8(path, Math.max(0, seen - 4), seen);
  }
}

/** Raw bytes in chunks, gunzipped where the name ends in `.gz`. */
export async function* readBytes(path: string): AsyncGenerator<Uint8Array> {
  const source = createReadStream(path, { highWaterMark: 1 << 18 });
  const sink: NodeJS.ReadWriteStream = path.endsWith('.gz') ? createGunzip() : new PassThrough();
  const done = pipeline(source, sink);
  done.catch(() => undefined);
  try {
    for await (const chunk of sink) yield chunk as unknown as Uint8Array;
    await done;
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    source.destroy();
  }
}

function unreadable(path: string, cause: unknown): DomainError {
  if (cause instanceof DomainError) return cause;
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : String(cause);
  return new DomainError('InvalidInput', `cannot read '${path}': ${reason}; check the path`, { path, code }, { cause });
}

const notUtf8 = (path: string, from: number, to: number) =>
  new DomainError(
    'InvalidInput',
    `'${path}' is not UTF-8 text: a bad byte lies between offsets ${from} and ${to}; convert it with: iconv -t UTF-8`,
    { path, from, to },
  );
