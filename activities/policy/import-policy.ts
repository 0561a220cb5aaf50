/**
 * A Hugging Face folder, or a PEFT adapter on a stored version, as a policy version of its own: `NAME/v000000`, which no run has made and any run may begin with
 * (`policy.init` of type `policy`). Streamed: nothing here takes the memory of the weights.
 */
import { policyId } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import type { PolicyDocument } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';
import { insertOnce } from '../store/write.ts';
import type { Draft } from '../store/write.ts';
import { heritageOf, storePart } from './commit.ts';
import { readAdapter } from './huggingface/adapter-folder.ts';
import { openFolder } from './huggingface/open-folder.ts';
import { checkCheckpoint, storeCheckpoint } from './huggingface/store-checkpoint.ts';
import { storedVersion } from './stored-version.ts';

export interface ImportRequest {
  directory: string;
  /** The policy's name: as a run id, and of no run. */
  name: string;
  /** Longest context in tokens; the model's by default. */
  maxPositions?: number;
}

export interface AdapterRequest extends Omit<ImportRequest, 'maxPositions'> {
  /** The stored version that the adapter is put on, as `RUN@vN`. */
  base: string;
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
  return commitImport(store, name, async (_id) => {
    const { weights, ...rest } = await storeCheckpoint(store, _id, checkpoint, maxPositions);
    return { ...rest, parts: { shared: { changedIn: 0, weights, optimizer: null, optimizerStep: 0 } } };
  });
}

/** A PEFT adapter on the weights of a stored version. Throws what `storedVersion` and `readAdapter` throw. */
export async function importAdapter(
  store: Store,
  { directory, name, base: reference }: AdapterRequest,
): Promise<ImportedPolicy> {
  const base = await storedVersion(store, reference);
  const whole = base.parts.shared;
  if (whole === undefined || base.lora !== undefined) {
    const found = base.lora === undefined ? `the parts ${Object.keys(base.parts).join(', ')}` : 'adapters itself';
    throw new DomainError('InvalidInput', `--base ${reference} has ${found}: expected one set of whole weights`, {
      base: reference,
    });
  }
  const { lora, tensors: parameters } = await readAdapter(directory, base.decoder);
  return commitImport(store, name, async () => {
    const making = { runId: name, version: 0, decoder: base.decoder, lora };
    const changed = { part: 'shared', parameters, optimizer: null } as const;
    return { ...heritageOf(base), lora, parts: { shared: await storePart(store, making, changed, whole.weights) } };
  });
}

type Content = Pick<PolicyDocument, 'decoder' | 'lora' | 'tokenizer' | 'folder' | 'parts'>;

async function commitImport(
  store: Store,
  name: string,
  storeContent: (id: string) => Promise<Content>,
): Promise<ImportedPolicy> {
  if ((await store.runs.findOne({ _id: name }, { projection: { _id: 1 } })) !== null) throw taken(name, 'a run');
  const _id = policyId(name, 0);
  try {
    const made = { version: 0, parent: null, madeBy: 'import', metrics: {}, keep: true };
    const policy = { _id, runId: name, ...made, ...(await storeContent(_id)) };
    const inserted = await insertOnce<PolicyDocument>(store.policies, policy);
    const standing = inserted ? policy : await store.policies.findOne({ _id });
    if (standing === null || contentOf(standing) !== contentOf(policy)) throw taken(name, 'another import');
    return { policy, inserted };
  } finally {
    await store.blobs.release(_id);
  }
}

const contentOf = ({ decoder, lora, folder, parts }: Draft<PolicyDocument>): string =>
  JSON.stringify([decoder.maxPositions, lora, folder?.files, parts.shared?.weights, parts.shared?.base]);

const taken = (name: string, what: string) =>
  new DomainError('InvalidInput', `'${name}' is the name of ${what}: choose another with --name`, { name });
