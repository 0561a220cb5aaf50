/** A stored set and its examples. */
import { DomainError } from '../../shared/errors.ts';
import type { Store } from '../store/connect.ts';
import type { SftExampleDocument, SftSetDocument } from '../store/documents.ts';

/** Throws `InvalidInput` where there is no such set. */
export async function readSet(store: Store, setId: string): Promise<SftSetDocument> {
  const found = await store.sftSets.findOne({ _id: setId });
  if (found !== null) return found;
  throw new DomainError(
    'InvalidInput',
    `there is no finished set '${setId}' in the store; see: npx metaagentx coldstart list`,
    { setId },
  );
}

/** In the order of their ids. Throws `InvalidInput`. */
export async function readExamples(store: Store, setId: string): Promise<SftExampleDocument[]> {
  await readSet(store, setId);
  return store.sftExamples.find({ setId }).sort({ _id: 1 }).toArray();
}
