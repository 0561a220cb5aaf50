/** Removal of many documents by id, in messages of bounded size. */
interface Removable {
  deleteMany(query: { _id: { $in: string[] } }): Promise<unknown>;
}

const idsPerMessage = 1000;

/** Those that are not there are ignored. */
export async function removeAll(collection: Removable, ids: readonly string[]): Promise<void> {
  for (let from = 0; from < ids.length; from += idsPerMessage)
    await collection.deleteMany({ _id: { $in: ids.slice(from, from + idsPerMessage) } });
}
