/** A finished run again under another name, document by document, to be hurt. Blobs are shared. */
import type { Collection } from 'mongodb';
import type { Store } from '../../activities/store/connect.ts';

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

export const documentsOf = (store: Store, name: RunCollection) =>
  store[name] as unknown as Collection<{ _id: string; runId: string; createdAt: Date }>;

export async function cloneRun(store: Store, from: string, to: string): Promise<void> {
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
    const documents = await documentsOf(store, name).find({ runId: from }).toArray();
    if (documents.length > 0) await documentsOf(store, name).insertMany(documents.map(renamed) as never[]);
  }
}
