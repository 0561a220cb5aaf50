/**
 * The one way to make a policy version: blobs first, claimed under the version's id, then one insert of its record, then
 * the claims go. The record's id is the version's path, so of two writers exactly one commits; the other finds equal
 * digests (a retry) or a conflict.
 */
import { DomainError } from '../../shared/errors.ts';
import { policyId } from '../../shared/domain/ids.ts';
import { safetensorsPieces } from '../../shared/model/checkpoint/safetensors.ts';
import { parameterShapes } from '../../shared/model/parameters.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import { adapterShapes } from '../../shared/model/lora.ts';
import type { LoraSpec } from '../../shared/model/lora.ts';
import type { OptimizerState, Tensors } from '../runtime/engine/contract.ts';
import type { PolicyDocument, PolicyPart, PolicyPartRecord } from '../store/documents.ts';
import { crashPoint } from '../crash-point.ts';
import { readPolicy } from './read-policy.ts';
import type { Store } from '../store/connect.ts';
import { insertOnce } from '../store/write.ts';
import type { Draft } from '../store/write.ts';

export interface ChangedPart {
  part: PolicyPart;
  /** All tensors, or with `lora` the adapter's. */
  parameters: Tensors;
  optimizer: OptimizerState | null;
}

/** What the blobs of a version are stored for. */
export interface VersionInTheMaking {
  runId: string;
  version: number;
  decoder: DecoderConfig;
  lora?: LoraSpec;
}

/** Stores one part's blobs; returns its record. `base`: digest of the weights that an adapter is put on. */
export async function storePart(
  store: Store,
  { runId, version, decoder, lora }: VersionInTheMaking,
  { parameters, optimizer }: ChangedPart,
  base?: string,
): Promise<PolicyPartRecord> {
  const shapes = lora === undefined ? parameterShapes(decoder) : adapterShapes(decoder, lora);
  const shapeOf = (name: string) => shapes.get(name.replace(/^[mv]:/, ''))!;
  const claimant = policyId(runId, version);
  const weights = await store.blobs.put(() => safetensorsPieces(parameters, shapeOf), claimant);
  const content = { changedIn: version, weights, ...(base === undefined ? {} : { base }) };
  if (optimizer === null) return { ...content, optimizer: null, optimizerStep: 0 };
  const moments = new Map<string, Float32Array>();
  for (const [name, tensor] of optimizer.m) moments.set(`m:${name}`, tensor);
  for (const [name, tensor] of optimizer.v) moments.set(`v:${name}`, tensor);
  const digest = await store.blobs.put(() => safetensorsPieces(moments, shapeOf), claimant);
  return { ...content, optimizer: digest, optimizerStep: optimizer.step };
}

/** A version before it is committed, its blobs stored. */
export type PolicyDraft = Omit<Draft<PolicyDocument>, '_id'>;

/** What a version takes over from its parent unchanged. */
export const heritageOf = ({ decoder, lora, tokenizer, folder }: PolicyDocument) => ({
  decoder,
  ...(lora === undefined ? {} : { lora }),
  tokenizer,
  ...(folder === undefined ? {} : { folder }),
});

/** What two versions must have in common to be the same one. */
export const partDigests = (policy: Pick<PolicyDocument, 'parts' | 'parent'>) =>
  JSON.stringify([
    policy.parent,
    Object.entries(policy.parts).map(([part, { weights, optimizer }]) => [part, weights, optimizer]),
  ]);

/** Throws `PolicyVersionConflict` if the version exists with other content, `StoreBehind` if its parent is not there. */
export async function commitPolicy(store: Store, draft: PolicyDraft): Promise<void> {
  const id = policyId(draft.runId, draft.version);
  if (draft.parent !== null) await readPolicy(store, draft.runId, draft.parent);
  crashPoint('blobs-stored');
  const inserted = await insertOnce(store.policies, { ...draft, _id: id });
  crashPoint('version-committed');
  if (!inserted) await checkStanding(store, id, draft);
  await store.blobs.release(id);
}

async function checkStanding(store: Store, id: string, draft: PolicyDraft): Promise<void> {
  const standing = await store.policies.findOne({ _id: id });
  if (standing === null || partDigests(standing) !== partDigests(draft)) {
    throw new DomainError(
      'PolicyVersionConflict',
      `${id} is committed already, with other content: another writer advanced the run. See: npx metaagentx status ${draft.runId}`,
      { policy: id },
    );
  }
}
