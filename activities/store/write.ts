/**
 * Insert-once by derived id. A retried activity writes the same documents again and finds them there; nothing is
 * overwritten, so what was first acknowledged stands.
 */
import type { Collection, OptionalUnlessRequiredId } from 'mongodb';
import { BSON, MongoBulkWriteError, MongoServerError } from 'mongodb';
import { schemaVersion } from './documents.ts';

interface Identified {
  _id: string;
  schemaVersion: number;
  createdAt: Date;
}

/** A document without the fields that every document gets on its way in. */
export type Draft<Doc extends Identified> = Omit<Doc, 'schemaVersion' | 'createdAt'>;

const duplicateKey = 11000;

export const stamp = <Doc extends Identified>(draft: Draft<Doc>): Doc =>
  ({ ...draft, schemaVersion, createdAt: new Date() }) as unknown as Doc;

/** True when this call inserted it, false when it was already there. */
export async function insertOnce<Doc extends Identified>(
  collection: Collection<Doc>,
  draft: Draft<Doc>,
): Promise<boolean> {
  try {
    await collection.insertOne(stamp<Doc>(draft) as OptionalUnlessRequiredId<Doc>);
    return true;
  } catch (error) {
    if (error instanceof MongoServerError && error.code === duplicateKey) return false;
    throw error;
  }
}

/** What became of a draft: its own failure concerns no other. */
export type InsertOutcome = 'stored' | 'standing' | Error;

/** Inserts each that is not there yet. Throws what concerns all of them, such as a lost connection. */
export async function insertEach<Doc extends Identified>(
  collection: Collection<Doc>,
  drafts: readonly Draft<Doc>[],
): Promise<InsertOutcome[]> {
  if (drafts.length === 0) return [];
  try {
    const documents = drafts.map((draft) => stamp<Doc>(draft)) as OptionalUnlessRequiredId<Doc>[];
    await collection.insertMany(documents, { ordered: false });
    return drafts.map(() => 'stored');
  } catch (error) {
    if (error instanceof BSON.BSONError) return insertOneByOne(collection, drafts, error);
    const failures = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
    if (failures.length === 0) throw error;
    const outcomes = drafts.map((): InsertOutcome => 'stored');
    for (const { index, code, errmsg } of failures) {
      outcomes[index] = code === duplicateKey ? 'standing' : new MongoServerError({ message: errmsg, code });
    }
    return outcomes;
  }
}

/** One that cannot be written as BSON keeps the whole message from being sent. */
async function insertOneByOne<Doc extends Identified>(
  collection: Collection<Doc>,
  drafts: readonly Draft<Doc>[],
  error: Error,
): Promise<InsertOutcome[]> {
  if (drafts.length === 1) return [error];
  const outcomes: InsertOutcome[] = [];
  for (const draft of drafts) outcomes.push(...(await insertEach(collection, [draft])));
  return outcomes;
}

/** Inserts all that are not there yet; any other failure is thrown. Returns the ids that were there already. */
export async function insertAllOnce<Doc extends Identified>(
  collection: Collection<Doc>,
  drafts: readonly Draft<Doc>[],
): Promise<string[]> {
  const outcomes = await insertEach(collection, drafts);
  for (const outcome of outcomes) if (outcome instanceof Error) throw outcome;
  return drafts
    .filter((_, index) => outcomes[index] === 'standing')
    .map((draft) => (draft as unknown as Identified)._id);
}
