/**
 * Insert-once by derived id. A retried activity writes the same documents again and finds them there; nothing is
 * overwritten, so what was first acknowledged stands.
 */
import type { Collection, OptionalUnlessRequiredId } from 'mongodb';
import { MongoBulkWriteError, MongoServerError } from 'mongodb';
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

/** Inserts all that are not there yet; any other failure is thrown. Returns the ids that were there already. */
export async function insertAllOnce<Doc extends Identified>(
  collection: Collection<Doc>,
  drafts: readonly Draft<Doc>[],
): Promise<string[]> {
  if (drafts.length === 0) return [];
  try {
    const documents = drafts.map((draft) => stamp<Doc>(draft)) as OptionalUnlessRequiredId<Doc>[];
    await collection.insertMany(documents, { ordered: false });
    return [];
  } catch (error) {
    const failures = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
    if (failures.length === 0 || failures.some((failure) => failure.code !== duplicateKey)) throw error;
    return failures.map(({ index }) => (drafts[index] as unknown as Identified)._id);
  }
}
