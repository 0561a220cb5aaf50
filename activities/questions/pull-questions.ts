/**
 * `questions pull`: downloads a benchmark's files from the public hub and imports them. A lock file beside the result
 * pins every file's SHA-256 and the commit it came from; a later pull that gets other bytes is refused.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DomainError } from '../../shared/errors.ts';
import { catalogueEntry } from '../../shared/questions/catalogue.ts';
import type { CatalogueEntry } from '../../shared/questions/catalogue.ts';
import { digestFile } from './digest-file.ts';
import { importQuestions } from './import-questions.ts';
import type { ImportReport } from './import-questions.ts';
import { readProvenance, writeProvenance } from './provenance.ts';

export interface PullOptions {
  /** A catalogue name, or `OWNER/NAME` together with `files` and `format`. */
  name: string;
  files?: readonly string[] | undefined;
  format?: string | undefined;
  revision?: string | undefined;
  /** Where the questions file goes; its lock stands beside it as `OUT.lock.json`. */
  out: string;
  /** Where downloads are kept; files already there with the pinned digest are not fetched again. */
  cacheFolder: string;
  /** Base URL of the hub, without a trailing slash. */
  hubUrl?: string | undefined;
  /** Sent to the hub (and to no host it redirects to), for data sets with terms to accept. */
  token?: string | undefined;
  /** Expected SHA-256 by file path, stronger than the lock. */
  sha256?: Readonly<Record<string, string>> | undefined;
  /** Accept new bytes and rewrite the lock. */
  update?: boolean | undefined;
  skipBad?: boolean | undefined;
  dedupe?: boolean | undefined;
  limit?: number | undefined;
  maxTests?: number | undefined;
  overwrite?: boolean | undefined;
  /** Time without a byte after which a download is given up. */
  idleTimeoutMs?: number | undefined;
}

export const publicHub = 'https://huggingface.co';

interface LockedFile {
  path: string;
  sha256: string;
  bytes: number;
  /** Commit the hub said the file came from, where it said so. */
  commit: string | null;
}
interface Lock {
  repository: string;
  revision: string;
  files: LockedFile[];
}

export interface PullReport extends ImportReport {
  files: readonly (LockedFile & { url: string; cached: boolean })[];
}

/** Throws `InvalidInput` for names, missing files and digests that differ; network faults are `InvalidInput` with the URL. */
export async function pullQuestions(options: PullOptions): Promise<PullReport> {
  const entry = entryOf(options);
  const lockPath = `${options.out}.lock.json`;
  const lock = options.update === true ? null : await readLock(lockPath);
  const hub = (options.hubUrl ?? publicHub).replace(/\/+$/, '');
  const files = [];
  for (const path of entry.files) {
    const pinned = options.sha256?.[path] ?? lock?.files.find((file) => file.path === path)?.sha256 ?? null;
    files.push(
      await obtain(
        `${hub}/datasets/${entry.repository}/resolve/${encodeURIComponent(entry.revision)}/${encodePath(path)}`,
        path,
        entry,
        pinned,
        options,
      ),
    );
  }
  const { skipBad, dedupe, limit, maxTests, out, overwrite } = options;
  const local = files.map((file) => file.local);
  const report = await importQuestions({
    format: entry.format,
    files: local,
    out,
    skipBad,
    dedupe,
    limit,
    maxTests,
    overwrite,
  });
  const locked = files.map(({ path, sha256, bytes, commit }) => ({ path, sha256, bytes, commit }));
  await writeFile(
    lockPath,
    `${JSON.stringify({ repository: entry.repository, revision: entry.revision, files: locked }, null, 2)}\n`,
  );
  const provenance = await readProvenance(out);
  const sources = files.map(({ path, sha256, url }) => ({ name: path, sha256, url }));
  await writeProvenance(out, { ...provenance, made: `pull ${entry.repository} (${entry.format})`, sources });
  return {
    ...report,
    files: files.map(({ path, sha256, bytes, commit, url, cached }) => ({ path, sha256, bytes, commit, url, cached })),
  };
}

function entryOf(options: PullOptions): CatalogueEntry {
  const { name, files, format, revision } = options;
  if (!name.includes('/')) {
    const entry = catalogueEntry(name);
    return {
      ...entry,
      revision: revision ?? entry.revision,
      files: files ?? entry.files,
      format: format ?? entry.format,
    };
  }
  if (!/^[\w.-]+\/[\w.-]+$/.test(name) || name.includes('..'))
    throw new DomainError('InvalidInput', `'${name}' is not OWNER/NAME`);
  if (files === undefined || files.length === 0 || format === undefined) {
    throw new DomainError(
      'InvalidInput',
      `'${name}' is not in the catalogue: name its files with --file and their format with --format`,
    );
  }
  return { name, repository: name, revision: revision ?? 'main', files, format };
}

const encodePath = (path: string) => path.split('/').map(encodeURIComponent).join('/');

async function readLock(path: string): Promise<Lock | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return null;
  }
  try {
    return JSON.parse(text) as Lock;
  } catch (cause) {
    throw new DomainError(
      'InvalidInput',
      `lock '${path}' is not JSON: restore it, or pull with --update to write a new one`,
      { path },
      { cause },
    );
  }
}

/** The file from the cache where its pinned digest is there, else from the hub. */
async function obtain(url: string, path: string, entry: CatalogueEntry, pinned: string | null, options: PullOptions) {
  if (path.split('/').includes('..')) throw new DomainError('InvalidInput', `file '${path}' leaves the repository`);
  const local = join(options.cacheFolder, entry.repository.replace('/', '--'), pinned ?? 'unpinned', basename(path));
  if (pinned !== null && (await digestOrNull(local)) === pinned) {
    return { path, url, local, sha256: pinned, bytes: (await stat(local)).size, commit: null, cached: true };
  }
  await mkdir(dirname(local), { recursive: true });
  const temporary = `${local}.${randomUUID()}.tmp`;
  try {
    const { sha256, bytes, commit } = await download(url, temporary, options);
    if (pinned !== null && sha256 !== pinned) {
      throw new DomainError(
        'InvalidInput',
        `${url} has SHA-256 ${sha256}, expected ${pinned}: the file has changed; check it, then pull with --update to accept it`,
        { url, sha256, pinned },
      );
    }
    const final = join(dirname(dirname(local)), sha256, basename(path));
    await mkdir(dirname(final), { recursive: true });
    await rename(temporary, final);
    return { path, url, local: final, sha256, bytes, commit, cached: false };
  } finally {
    await rm(temporary, { force: true });
  }
}

const digestOrNull = (path: string) => digestFile(path).catch(() => null);

async function download(
  url: string,
  to: string,
  { token, idleTimeoutMs = 60_000 }: PullOptions,
): Promise<{ sha256: string; bytes: number; commit: string | null }> {
  const stop = new AbortController();
  const headers = { 'user-agent': 'metaagentx', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  let timer = setTimeout(() => stop.abort(), idleTimeoutMs);
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    const response = await fetch(url, { signal: stop.signal, headers });
    if (!response.ok || response.body === null) throw refused(url, response.status);
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        clearTimeout(timer);
        timer = setTimeout(() => stop.abort(), idleTimeoutMs);
        bytes += chunk.length;
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(response.body), meter, createWriteStream(to, { flags: 'wx' }), {
      signal: stop.signal,
    });
    const promised = response.headers.get('content-length');
    if (promised !== null && response.headers.get('content-encoding') === null && Number(promised) !== bytes) {
      throw new DomainError('InvalidInput', `${url} sent ${bytes} bytes of ${promised}: pull again`, { url, bytes });
    }
    return { sha256: hash.digest('hex'), bytes, commit: response.headers.get('x-repo-commit') };
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    const reason = stop.signal.aborted ? `no byte for ${idleTimeoutMs} ms` : describeCause(cause);
    const message = `cannot download ${url}: ${reason}; check the network, or download the file by hand and use: metaagentx questions import`;
    throw new DomainError('InvalidInput', message, { url }, { cause });
  } finally {
    clearTimeout(timer);
  }
}

function refused(url: string, status: number): DomainError {
  const advice =
    status === 401 || status === 403
      ? 'the data set wants its terms accepted: accept them on the hub and set HF_TOKEN, or download it by hand and use: metaagentx questions import'
      : status === 404
        ? 'the file may have moved: look at the data set on the hub and pass --file'
        : 'pull again later';
  return new DomainError('InvalidInput', `${url} answered ${status}: ${advice}`, { url, status });
}

function describeCause(cause: unknown): string {
  const inner = (cause as { cause?: { code?: string; message?: string } }).cause;
  return inner?.code ?? inner?.message ?? (cause instanceof Error ? cause.message : String(cause));
}
