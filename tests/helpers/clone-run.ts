/**
 * A finished run again under another name, document by document, to be hurt: whole, or as a store has it that lost its newest
 * writes. Blobs are shared.
 */
import type { Collection } from 'mongodb';
import type { Store } from '../../activities/store/connect.ts';
import { uniform } from '../../shared/random.ts';

/** Collections whose documents belong to a run, what hangs on others first. */
export const runCollections = [
  'credits',
  'verdicts',
  'executions',
  'calls',
  'designs',
  'iterations',
  'evaluations',
  'stages',
  'policies',
  'candidates',
  'systems',
  'searches',
] as const;
export type RunCollection = (typeof runCollections)[number];

/** The newest moment of which a collection still has documents; absent: it lost none. */
type Losses = Partial<Record<RunCollection, Date>>;

export const documentsOf = (store: Store, name: RunCollection) =>
  store[name] as unknown as Collection<{ _id: string; runId: string; createdAt: Date }>;

export async function cloneRun(store: Store, from: string, to: string, losses: Losses = {}): Promise<void> {
  const renamed = (value: unknown): unknown => {
    if (typeof value === 'string')
      return value === from || value.startsWith(`${from}/`) ? to + value.slice(from.length) : value;
    if (Array.isArray(value)) return value.map(renamed);
    if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, renamed(inner)]));
  };
  const run = await store.runs.findOne({ _id: from });
  await store.runs.insertOne(renamed(run) as never);
  for (const name of runCollections) {
    const kept = losses[name] === undefined ? {} : { createdAt: { $lte: losses[name] } };
    const documents = await documentsOf(store, name)
      .find({ runId: from, ...kept })
      .toArray();
    if (documents.length > 0) await documentsOf(store, name).insertMany(documents.map(renamed) as never[]);
  }
}

/** When a run's documents were made, one after another. */
export async function momentsOf(store: Store, runId: string): Promise<Date[]> {
  const projection = { createdAt: 1 };
  const made = await Promise.all(
    runCollections.map((name) => documentsOf(store, name).find({ runId }, { projection }).toArray()),
  );
  return made
    .flat()
    .map(({ createdAt }) => createdAt)
    .sort((a, b) => a.getTime() - b.getTime());
}

/** Of all moments, that two collections' are apart at most. */
const spread = 0.3;

/**
 * Each of the collections has lost what is newer than a moment of its own, near one that `key` draws. Moments are counted in
 * documents, so a slow machine cuts where a fast one does.
 */
export function lossesAt(moments: readonly Date[], key: string, collections: readonly RunCollection[]): Losses {
  const base = uniform(key, 0) * (1 - spread);
  const momentAt = (part: number) => moments[Math.min(moments.length - 1, Math.floor(part * moments.length))]!;
  return Object.fromEntries(
    collections.map((name, index) => [name, momentAt(base + uniform(key, 1 + index) * spread)]),
  );
}
