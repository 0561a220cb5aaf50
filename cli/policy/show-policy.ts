/** `policy show`: a version of the store, or a folder as an import would take it. */
import { stat } from 'node:fs/promises';
import { openFolder } from '../../activities/policy/huggingface/open-folder.ts';
import { checkCheckpoint } from '../../activities/policy/huggingface/store-checkpoint.ts';
import { storedVersion } from '../../activities/policy/stored-version.ts';
import { readTokenizerTexts } from '../../activities/policy/tokenizer-texts.ts';
import { PolicyTokenizer } from '../../activities/runtime/tokenizer/policy-tokenizer.ts';
import type { PolicyDocument } from '../../activities/store/documents.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import { parameterCount } from '../../shared/model/parameters.ts';
import type { Cli, CommandResult } from '../command.ts';
import { withSession } from '../session.ts';
import { compact, moment } from '../view/numbers.ts';
import { renderFacts } from '../view/table.ts';
import { loraText } from './lora-text.ts';
import { parseBatch, planFacts, planOf } from './memory-facts.ts';
import type { Batch } from './memory-facts.ts';

type Fact = readonly [string, string | null];

export interface ShowOptions {
  /** Rows and tokens of a micro-batch, as `8x2048`. */
  plan?: string;
}

export async function showPolicy(cli: Cli, target: string, options: ShowOptions = {}): Promise<CommandResult> {
  const batch = options.plan === undefined ? null : parseBatch(options.plan);
  const isFolder = !target.includes('@') && (await isDirectory(target));
  if (isFolder || /[/\\]/.test(target)) return showFolder(target, batch);
  return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store }) => {
    const policy = await storedVersion(store, target);
    const tokenizer = PolicyTokenizer.of(await readTokenizerTexts(store, policy), policy.decoder.vocabSize);
    const model = modelOf(policy.decoder, tokenizer);
    const { _id, parent, madeBy, parts, folder, createdAt, keep, metrics, lora } = policy;
    return {
      data: {
        policy: _id,
        parent,
        madeBy,
        ...model,
        lora: lora ?? null,
        parts,
        folder: folder ?? null,
        keep,
        metrics,
        ...planOf(policy.decoder, batch, lora),
      },
      text: renderFacts([
        ['policy', `${_id}, made by ${madeBy}, ${moment(createdAt)}`],
        ...modelFacts(policy.decoder, model),
        ['adapters', lora === undefined ? null : loraText(lora, policy.decoder)],
        ...Object.entries(parts).map(([part, record]): Fact => [part, partText(record, policy)]),
        ...planFacts(policy.decoder, batch, lora),
        ['files', folder === undefined ? null : folder.files.map(({ name }) => name).join(', ')],
      ]).join('\n'),
    };
  });
}

const isDirectory = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

async function showFolder(directory: string, batch: Batch | null): Promise<CommandResult> {
  const checkpoint = await openFolder(directory);
  const { decoder, dtype, tensors, sideFiles } = checkpoint;
  const model = modelOf(decoder, checkCheckpoint(checkpoint));
  const files = [...new Set([...tensors.values()].map(({ file }) => file))].length;
  return {
    data: {
      directory,
      ...model,
      dtype,
      tensors: tensors.size,
      shards: files,
      files: [...sideFiles.texts.keys()],
      ...planOf(decoder, batch),
    },
    text: renderFacts([
      ['folder', `${directory}: fit for an import`],
      ...modelFacts(decoder, model),
      ['weights', `${tensors.size} tensors of ${dtype} in ${files === 1 ? '1 file' : `${files} files`}`],
      ...planFacts(decoder, batch),
      ['files', [...sideFiles.texts.keys()].join(', ')],
    ]).join('\n'),
  };
}

interface Model {
  decoder: DecoderConfig;
  parameters: number;
  tokenizer: { tokens: number; endOfTurn: string[] };
}

function modelOf(decoder: DecoderConfig, tokenizer: PolicyTokenizer): Model {
  const endOfTurn = tokenizer.endOfTurnIds.map((id) => tokenizer.decode([id], { keepSpecial: true }));
  return { decoder, parameters: parameterCount(decoder), tokenizer: { tokens: tokenizer.vocabSize, endOfTurn } };
}

function modelFacts(decoder: DecoderConfig, { parameters, tokenizer }: Model): Fact[] {
  const { architecture, numLayers, hiddenSize, intermediateSize, numHeads, numKvHeads, headDim } = decoder;
  const traits = [
    decoder.tieEmbeddings ? 'tied head' : 'own head',
    ...(decoder.attentionBias ? ['attention biases'] : []),
    ...(decoder.qkNorm ? ['q and k norms'] : []),
    ...(decoder.ropeScaling ? [`rope ${decoder.ropeScaling.type} × ${decoder.ropeScaling.factor}`] : []),
  ];
  return [
    ['model', `${architecture}: ${numLayers} layers, width ${hiddenSize}, feed-forward ${intermediateSize}`],
    ['attention', `${numHeads} heads over ${numKvHeads} of keys and values, width ${headDim}`],
    ['', traits.join(', ')],
    ['parameters', `${compact(parameters)}, ${((4 * parameters) / 1e6).toFixed(1)} MB as float32`],
    ['context', `${decoder.maxPositions} tokens`],
    [
      'vocabulary',
      `${decoder.vocabSize}, tokenizer ${tokenizer.tokens}; a turn ends with ${tokenizer.endOfTurn.join(' ')}`,
    ],
  ];
}

function partText(record: NonNullable<PolicyDocument['parts']['shared']>, { folder, pruned }: PolicyDocument): string {
  const { changedIn, weights, base, optimizer, optimizerStep } = record;
  const moments = optimizer === null ? 'no moments' : pruned?.optimizer ? 'moments pruned' : 'moments stored';
  const origin = folder?.weights === weights ? ` · as imported, ${folder.dtype}` : '';
  return `since v${changedIn} · weights ${weights.slice(0, 12)}${base === undefined ? '' : ` on ${base.slice(0, 12)}`} · ${optimizerStep} optimizer steps, ${moments}${origin}`;
}
