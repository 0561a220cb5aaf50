/**
 * A Hugging Face folder as a policy version of its own: `NAME/v000000`, which no run has made and any run may begin with
 * (`policy.init` of type `policy`). Streamed: nothing here takes the memory of the weights.
 */
import { policyId } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import type { PolicyDocument } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';
import { insertOnce } from '../store/write.ts';
import type { Draft } from '../store/write.ts';
import { openFolder } from './huggingface/open-folder.ts';
import { checkCheckpoint, storeCheckpoint } from './huggingface/store-checkpoint.ts';

export interface ImportRequest {
  directory: string;
  /** The policy's name: as a run id, and of no run. */
  name: string;
  /** Longest context in tokens; the model's by default. */
  maxPositions?: number;
}

export interface ImportedPolicy {
  policy: Draft<PolicyDocument>;
  /** False where the same content was imported under the name before. */
  inserted: boolean;
}

/** Throws what `openFolder` and `checkCheckpoint` throw, and `InvalidInput` where the name stands for something else. */
export async function importPolicy(store: Store, request: ImportRequest): Promise<ImportedPolicy> {
  const { directory, name, maxPositions } = request;
  const checkpoint = await openFolder(directory);
  checkCheckpoint(checkpoint, maxPositions);
  if ((await store.runs.findOne({ _id: name }, { projection: { _id: 1 } })) !== null) throw taken(name, 'a run');
  const _id = policyId(name, 0);
  try {
    const { weights, ...rest } = await storeCheckpoint(store, _id, checkpoint, maxPositions);
    const parts = { shared: { changedIn: 0, weights, optimizer: null, optimizerStep: 0 } };
    const made = { version: 0, parent: null, madeBy: 'import', metrics: {}, keep: true };
    const policy = { _id, runId: name, ...made, ...rest, parts };
    const inserted = await insertOnce<PolicyDocument>(store.policies, policy);
    const standing = inserted ? policy : await store.policies.findOne({ _id });
    if (standing === null || contentOf(standing) !== contentOf(policy)) throw taken(name, 'another import');
    return { policy, inserted };
  } finally {
    await store.blobs.release(_id);
  }
}

const contentOf = ({ decoder, folder, parts }: Draft<PolicyDocument>): string =>
  JSON.stringify([decoder.maxPositions, folder?.files, parts.shared?.weights]);

const taken = (name: string, what: string) =>
  new DomainError('InvalidInput', `'${name}' is the name of ${what}: choose another with --name`, { name });
