/**
 * Reads the records of a published file as its users download it: JSON Lines, JSON, Parquet, and the first two gzipped.
 * Knows containers, not benchmarks. JSON Lines and Parquet are streamed; a JSON array is held whole.
 */
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { DomainError } from '../../shared/errors.ts';
import { asRecord, describe, parseRecord, refuse } from '../../shared/questions/record.ts';
import type { Place, RawRecord } from '../../shared/questions/record.ts';
import { readLines, readText } from './read-lines.ts';

/** A record that could not even be read; the caller refuses or counts it. */
export interface BrokenRecord {
  error: DomainError;
}

/** Yields each record with its place (line of a line file, row of others, from 1). Throws for files it cannot open. */
export async function* readRecords(path: string): AsyncGenerator<{ place: Place; record: RawRecord } | BrokenRecord> {
  const name = path.toLowerCase().replace(/\.gz$/, '');
  if (name.endsWith('.parquet')) yield* readParquet(path);
  else if (name.endsWith('.jsonl') || name.endsWith('.ndjson')) yield* readJsonLines(path);
  else if (name.endsWith('.json')) yield* readJson(path);
  else {
    const message = `'${path}' has an ending this cannot read: expected .jsonl, .ndjson, .json (each also .gz) or .parquet`;
    throw new DomainError('InvalidInput', message, { path });
  }
}

async function* readJsonLines(path: string): AsyncGenerator<{ place: Place; record: RawRecord } | BrokenRecord> {
  for await (const [line, number] of readLines(path)) {
    if (line.trim() === '') continue;
    const place = { file: path, line: number };
    yield attempt(() => ({ place, record: parseRecord(line, place) }));
  }
}

function attempt<T>(f: () => T): T | BrokenRecord {
  try {
    return f();
  } catch (error) {
    if (error instanceof DomainError) return { error };
    throw error;
  }
}

/** A list, an object that holds one (`data`, `rows`, `train`, `test`, …), or JSON Lines under the wrong name. */
async function* readJson(path: string): AsyncGenerator<{ place: Place; record: RawRecord } | BrokenRecord> {
  const parts: string[] = [];
  for await (const part of readText(path)) parts.push(part);
  const text = parts.join('');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (/^\s*\{.*\}\s*\r?\n\s*\{/.test(text)) {
      yield* readJsonLines(path);
      return;
    }
    refuse({ file: path, line: 1 }, '(file)', `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  for (const [i, item] of listIn(value, path).entries()) {
    const place = { file: path, line: i + 1 };
    yield attempt(() => ({ place, record: asRecord(unwrapRow(item), place, '(row)') }));
  }
}

function listIn(value: unknown, path: string): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  if (typeof value === 'object' && value !== null) {
    const lists = Object.values(value).filter(
      (item): item is unknown[] => Array.isArray(item) && item.every((x) => typeof x === 'object'),
    );
    if (lists.length === 1) return lists[0]!;
    if (lists.length === 0) return [value];
  }
  return refuse({ file: path, line: 1 }, '(file)', `is ${describe(value)}, expected a list of records`);
}

/** The hub's rows interface wraps each record. */
function unwrapRow(item: unknown): unknown {
  const row = (item as { row?: unknown } | null)?.row;
  return typeof row === 'object' && row !== null && 'row_idx' in (item as object) ? row : item;
}

async function* readParquet(path: string): AsyncGenerator<{ place: Place; record: RawRecord } | BrokenRecord> {
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    let start = 0;
    for (const group of metadata.row_groups) {
      const end = start + Number(group.num_rows);
      const rows = await parquetReadObjects({ file, metadata, compressors, rowStart: start, rowEnd: end });
      for (const [i, row] of rows.entries())
        yield { place: { file: path, line: start + i + 1 }, record: plain(row) as RawRecord };
      start = end;
    }
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    const message = `'${path}' cannot be read as Parquet: ${cause instanceof Error ? cause.message : String(cause)}; download it again`;
    throw new DomainError('InvalidInput', message, { path }, { cause });
  }
}

/** 64-bit integers as numbers where they fit, so that Parquet and JSON give one record. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (Array.isArray(value)) return value.map((item: unknown) => plain(item));
  if (typeof value !== 'object' || value === null || value instanceof Date || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
