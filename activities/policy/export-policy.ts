/**
 * A committed policy version as a Hugging Face folder that transformers and this program read. What came from a folder
 * goes back byte for byte; a policy that began with random weights gets the files that such a folder needs. An adapter goes
 * out as PEFT's folder, or merged into its base.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../shared/errors.ts';
import { decoderOf, huggingFaceConfigOf } from '../../shared/model/checkpoint/hf-config.ts';
import type { StoredDType } from '../../shared/model/checkpoint/number-formats.ts';
import type { LoraSpec } from '../../shared/model/lora.ts';
import { chatMlTemplate } from '../runtime/tokenizer/chat-template.ts';
import { PolicyTokenizer } from '../runtime/tokenizer/policy-tokenizer.ts';
import type { PolicyDocument, PolicyPart, PolicyPartRecord } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';
import { writeAdapter } from './huggingface/adapter-folder.ts';
import { claimFolder, folderWriter, indexOf } from './huggingface/write-folder.ts';
import { mergedWeights, readTensors, writeMerged } from './merged-weights.ts';
import { readTokenizerTexts } from './tokenizer-texts.ts';

export interface ExportRequest {
  policy: PolicyDocument;
  part: PolicyPart;
  directory: string;
  /** `exact`: what the tensors came as while they are unchanged, else F32. Narrower formats round. */
  dtype: StoredDType | 'exact';
  maxShardBytes: number;
  /** Of a policy with adapters: write whole weights. Without, the adapter alone is written, in PEFT's layout. */
  merged?: boolean;
}

export interface ExportedPolicy {
  files: string[];
  bytes: number;
  dtype: StoredDType;
}

/** What transformers calls the formats. */
const torchNames: Readonly<Record<StoredDType, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** Throws `InvalidInput`, `CheckpointMissing` or `CheckpointCorrupt`. */
export async function exportPolicy(store: Store, request: ExportRequest): Promise<ExportedPolicy> {
  const { policy, directory, maxShardBytes } = request;
  const record = partRecord(policy, request.part);
  if (policy.lora !== undefined && request.merged !== true) return exportAdapter(store, request, policy.lora, record);
  const { dtype, dtypeOf } = formatOf(request, record);
  await claimFolder(directory);
  const settings = { directory, dtypeOf, maxShardBytes };
  const written =
    policy.lora === undefined
      ? await store.blobs.read(record.weights, (bytes) => folderWriter(bytes, settings))
      : writeMerged(await mergedWeights(store, policy.decoder, policy.lora, record), policy.decoder, settings);
  const texts = await textsOf(store, policy, dtype);
  const index = indexOf(written);
  if (index !== undefined) texts.set('model.safetensors.index.json', index);
  for (const [name, text] of texts) await writeFile(join(directory, name), text);
  return { files: [...written.files, ...texts.keys()].sort(), bytes: written.bytes, dtype };
}

async function exportAdapter(
  store: Store,
  { policy, directory, dtype }: ExportRequest,
  lora: LoraSpec,
  record: PolicyPartRecord,
): Promise<ExportedPolicy> {
  const tensors = await readTensors(store, record.weights);
  await claimFolder(directory);
  const format = dtype === 'exact' ? 'F32' : dtype;
  // PEFT asks for a name; what the weights are called is known to the user alone.
  const base = `sha256:${record.base}`;
  return {
    dtype: format,
    ...(await writeAdapter(directory, { lora, tensors }, policy.decoder, { dtype: format, base })),
  };
}

export function partRecord(policy: PolicyDocument, part: PolicyPart): PolicyPartRecord {
  const record = policy.parts[part];
  if (record === undefined) {
    const known = Object.keys(policy.parts);
    throw new DomainError(
      'InvalidInput',
      `${policy._id} has no part '${part}': expected ${known.join(' or ')}. Choose one with --part ${known[0]}`,
      { part },
    );
  }
  if (policy.pruned?.weights !== true) return record;
  throw new DomainError(
    'CheckpointMissing',
    `the weights of ${policy._id} are pruned: retention.weights keeps the newest versions and those at stage ends only`,
    { policy: policy._id },
  );
}

function formatOf({ policy: { folder }, dtype }: ExportRequest, { weights }: PolicyPartRecord) {
  if (dtype !== 'exact') return { dtype, dtypeOf: () => dtype };
  if (folder?.weights !== weights) return { dtype: 'F32' as const, dtypeOf: () => 'F32' as const };
  const others = new Map(folder.others.map(({ name, dtype: other }) => [name, other]));
  return { dtype: folder.dtype, dtypeOf: (name: string) => others.get(name) ?? folder.dtype };
}

async function textsOf(store: Store, policy: PolicyDocument, dtype: StoredDType): Promise<Map<string, string>> {
  const { decoder, folder } = policy;
  const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
  if (folder === undefined) {
    const texts = await readTokenizerTexts(store, policy);
    const tokenizer = PolicyTokenizer.of(texts, decoder.vocabSize);
    const [end] = tokenizer.endOfTurnIds;
    return new Map([
      ['config.json', json(huggingFaceConfigOf(decoder, torchNames[dtype]))],
      ['tokenizer.json', texts.tokenizerJson],
      [
        'tokenizer_config.json',
        json({
          tokenizer_class: 'PreTrainedTokenizerFast',
          chat_template: chatMlTemplate,
          ...(end === undefined ? {} : { eos_token: tokenizer.decode([end], { keepSpecial: true }) }),
        }),
      ],
      ['generation_config.json', json({ eos_token_id: tokenizer.endOfTurnIds })],
    ]);
  }
  const texts = new Map<string, string>();
  for (const { name, digest } of folder.files) {
    texts.set(name, new TextDecoder('utf-8', { ignoreBOM: true }).decode(await store.blobs.get(digest)));
  }
  const written = texts.get('config.json')!;
  const config = JSON.parse(written) as Record<string, unknown>;
  const changes = changesOf(config, policy, dtype);
  if (Object.keys(changes).length > 0) texts.set('config.json', json({ ...config, ...changes }));
  return texts;
}

/** Keys of config.json that no longer say what the folder holds. */
function changesOf(config: Record<string, unknown>, { decoder }: PolicyDocument, dtype: StoredDType): object {
  const key = 'torch_dtype' in config ? 'torch_dtype' : 'dtype';
  const named = config[key] ?? 'float32';
  return {
    ...(named === torchNames[dtype] ? {} : { [key]: torchNames[dtype] }),
    ...(decoderOf(config).maxPositions === decoder.maxPositions
      ? {}
      : { max_position_embeddings: decoder.maxPositions }),
  };
}
