/** What a worker of the bench writes down while it works, one JSON object a line; the bench reads it afterwards. */
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { StoreCommand } from '../../activities/store/commands.ts';

/** Milliseconds since 1970, with fractions. */
export const nowMs = () => performance.timeOrigin + performance.now();

/** One model call. `ms` is the model's own time: drawn where it is simulated, measured where it is real. */
export interface GenerateLine {
  kind: 'generate';
  seedKey: string;
  startMs: number;
  ms: number;
  promptTokens: number;
  responseTokens: number;
  /** Of a real call only. */
  tokenIds?: number[];
}
/** One run of a script: `ownMs` is what is left without its calls and their journal. */
export interface ScriptLine {
  kind: 'script';
  executionId: string;
  question: string;
  ms: number;
  ownMs: number;
}
export interface UpdateLine {
  kind: 'update';
  startMs: number;
  ms: number;
}
/** Commands of one kind on one collection, summed when the worker ends. */
export interface CommandsLine {
  kind: 'commands';
  /** Of the worker. */
  pid: number;
  name: string;
  collection: string;
  count: number;
  documents: number;
  /** Of one answer or one write, at most. */
  mostDocuments: number;
  /** Binary fields of all answers. */
  binaryBytes: number;
  ms: number;
  /** Updates of the document that was updated most. */
  mostUpdates: number;
}
export type TraceLine = GenerateLine | ScriptLine | UpdateLine | CommandsLine;

export interface Trace {
  write(line: TraceLine): void;
  close(): Promise<void>;
}

export function openTrace(path: string): Trace {
  const stream = createWriteStream(path, { flags: 'a' });
  return {
    write: (line) => void stream.write(`${JSON.stringify(line)}\n`),
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}

export async function readTrace(paths: readonly string[]): Promise<TraceLine[]> {
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  return texts
    .flatMap((text) => text.split('\n').filter((line) => line !== ''))
    .map((line) => JSON.parse(line) as TraceLine);
}

/** Sums commands by name and collection. */
export function commandCounter(): { count(command: StoreCommand): void; lines(): CommandsLine[] } {
  const sums = new Map<string, CommandsLine>();
  const updates = new Map<string, Map<string, number>>();
  return {
    count({ name, collection, documents, binaryBytes, durationMs, updated }) {
      const key = `${name} ${collection}`;
      const none: CommandsLine = {
        kind: 'commands',
        pid: process.pid,
        name,
        collection,
        count: 0,
        documents: 0,
        mostDocuments: 0,
        binaryBytes: 0,
        ms: 0,
        mostUpdates: 0,
      };
      const sum = sums.get(key) ?? none;
      sums.set(key, sum);
      sum.count += 1;
      sum.documents += documents;
      sum.binaryBytes += binaryBytes;
      sum.mostDocuments = Math.max(sum.mostDocuments, documents);
      sum.ms += durationMs;
      const byId = updates.get(key) ?? new Map<string, number>();
      updates.set(key, byId);
      for (const id of updated) byId.set(id, (byId.get(id) ?? 0) + 1);
    },
    lines: () => [...sums].map(([key, sum]) => ({ ...sum, mostUpdates: Math.max(0, ...updates.get(key)!.values()) })),
  };
}
