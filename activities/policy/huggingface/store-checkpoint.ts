/**
 * An opened checkpoint into the store: its weights as one float32 blob, streamed, and its small files as they are. Nothing
 * here takes the memory of the weights.
 */
import { DomainError } from '../../../shared/errors.ts';
import type { DecoderConfig } from '../../../shared/model/config.ts';
import { PolicyTokenizer } from '../../runtime/tokenizer/policy-tokenizer.ts';
import type { Store } from '../../store/connect.ts';
import type { FolderRecord } from '../../store/documents.ts';
import type { OpenCheckpoint } from './open-folder.ts';
import { weightPieces } from './tensor-pieces.ts';

export interface StoredCheckpoint {
  decoder: DecoderConfig;
  /** Digest of the weights. */
  weights: string;
  tokenizer: string;
  folder: FolderRecord;
}

/**
 * The blobs are claimed for `claimant`. `maxPositions` shortens the context; rotary tables and caches are sized by it.
 * Throws `ShapeMismatch` where tokenizer and vocabulary do not fit, `InvalidConfig` for a context longer than the model's.
 */
export async function storeCheckpoint(
  store: Store,
  claimant: string,
  checkpoint: OpenCheckpoint,
  maxPositions = checkpoint.decoder.maxPositions,
): Promise<StoredCheckpoint> {
  checkCheckpoint(checkpoint, maxPositions);
  const files: FolderRecord['files'] = [];
  for (const [name, text] of checkpoint.sideFiles.texts) {
    files.push({ name, digest: await store.blobs.put(new TextEncoder().encode(text), claimant) });
  }
  const { dtype, tensors } = checkpoint;
  const others = [...tensors.values()]
    .filter((tensor) => tensor.dtype !== dtype)
    .map((tensor) => ({ name: tensor.name, dtype: tensor.dtype }));
  const weights = await store.blobs.put(() => weightPieces(checkpoint), claimant);
  return {
    decoder: { ...checkpoint.decoder, maxPositions },
    weights,
    tokenizer: files.find(({ name }) => name === 'tokenizer.json')!.digest,
    folder: { files, weights, dtype, others },
  };
}

/** What can be refused without a store; gives the tokenizer that it read. */
export function checkCheckpoint({ decoder, sideFiles }: OpenCheckpoint, maxPositions?: number): PolicyTokenizer {
  const tokenizer = PolicyTokenizer.of(sideFiles.tokenizer, decoder.vocabSize);
  if (maxPositions === undefined || maxPositions <= decoder.maxPositions) return tokenizer;
  throw new DomainError(
    'InvalidConfig',
    `the context of ${maxPositions} tokens that was asked for (maxPositions) is longer than the checkpoint's max_position_embeddings of ${decoder.maxPositions}: leave it out, or choose less`,
    { maxPositions },
  );
}
