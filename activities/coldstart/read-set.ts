/** A stored set and its examples. */
import { DomainError } from '../../shared/errors.ts';
import type { Store } from '../store/connect.ts';
import type { SftExampleDocument, SftSetDocument } from '../store/documents.ts';

/** Throws `NotFound` where there is no such set. */
export async function readSet(store: Store, setId: string): Promise<SftSetDocument> {
  const found = await store.sftSets.findOne({ _id: setId });
  if (found !== null) return found;
  throw new DomainError(
    'NotFound',
    `there is no finished set '${setId}' in the store; see: npx metaagentx coldstart list`,
    { setId },
  );
}

/** In the order of their ids. Throws `NotFound`; `RecordConflict` where the store has lost some. */
export async function readExamples(store: Store, setId: string): Promise<SftExampleDocument[]> {
  const { examples } = await readSet(store, setId);
  const found = await store.sftExamples.find({ setId }).sort({ _id: 1 }).toArray();
  const wanted = examples.designer + examples.executor;
  if (found.length === wanted) return found;
  throw new DomainError(
    'RecordConflict',
    `the store has ${found.length} of the ${wanted} examples of set '${setId}': make them again from the stored answers, with the same \`npx metaagentx coldstart collect ${setId} ...\``,
    { setId, there: found.length, wanted },
  );
}

export const countExamples = (store: Store, setId: string): Promise<number> =>
  store.sftExamples.countDocuments({ setId });
