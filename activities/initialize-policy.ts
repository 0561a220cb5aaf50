/** Version 0 of a run: seeded random weights with a tokenizer, a Hugging Face folder, or another run's version. */
import { policyId } from '../shared/domain/ids.ts';
import { DomainError } from '../shared/errors.ts';
import { fillNormal } from '../shared/random.ts';
import type { DecoderConfig } from '../shared/model/config.ts';
import { checkDecoderConfig } from '../shared/model/config.ts';
import { isSameLora } from '../shared/model/lora.ts';
import { initialParameters } from '../shared/model/parameters.ts';
import type { Recipe } from '../shared/config/recipe.ts';
import { onAdapters } from './policy/adapters.ts';
import { holdInherited, inheritedPolicy } from './policy/inherited-policy.ts';
import { commitPolicy, storePart } from './policy/commit.ts';
import type { PolicyDraft } from './policy/commit.ts';
import { openFolder } from './policy/huggingface/open-folder.ts';
import { storeCheckpoint } from './policy/huggingface/store-checkpoint.ts';
import { partsOf } from './policy/parts.ts';
import { storedVersion } from './policy/stored-version.ts';
import type { RunContexts, RunOf } from './run-context.ts';
import type { PolicyDocument } from './store/documents.ts';
import type { Store } from './store/connect.ts';
import { PolicyTokenizer } from './runtime/tokenizer/policy-tokenizer.ts';
import { readTokenizer } from './policy/tokenizer-file.ts';

const version = 0;

/** What a version's record says of its weights. */
type Beginning = Pick<PolicyDocument, 'decoder' | 'lora' | 'tokenizer' | 'folder' | 'parts'>;

interface InitializeDeps {
  store: Store;
  runs: RunContexts;
}

export async function initializePolicy(deps: InitializeDeps, which: RunOf): Promise<number> {
  const { runId } = which;
  const standing = await deps.store.policies.findOne({ _id: policyId(runId, version) });
  if (standing?.madeBy === 'import') {
    throw new DomainError(
      'PolicyVersionConflict',
      `'${runId}' is the name of an imported policy: start the run again with another --run-id`,
      { runId },
    );
  }
  if (standing !== null) return version;
  const draft = await deriveInitial(deps, which);
  const { init } = (await deps.runs.run(which)).recipe.policy;
  if (init.type === 'policy') await holdInherited(deps.store, draft, init);
  await commitPolicy(deps.store, draft);
  return version;
}

/**
 * Version 0 with its blobs stored. The same recipe and sources give the same digests. `origin`: the version that the run begins
 * with, where it is not to be looked up.
 */
export async function deriveInitial(
  { store, runs }: InitializeDeps,
  which: RunOf,
  origin?: PolicyDocument,
): Promise<PolicyDraft> {
  const { runId } = which;
  const { recipe } = await runs.run(which);
  const { init, layout } = recipe.policy;
  if (init.type === 'endpoint') {
    throw new DomainError(
      'InvalidConfig',
      `the model ${init.model} at ${init.url} cannot be trained: use it with coldstart collect, eval or solve`,
      { runId },
    );
  }
  if (init.type === 'policy') {
    const base = origin ?? (await storedVersion(store, `${init.runId}@v${init.version}`));
    return withAdapters(store, recipe, inheritedPolicy(runId, base, init.moments, layout));
  }
  const beginning =
    init.type === 'random'
      ? await fromRandom(store, runId, recipe, init)
      : await fromCheckpoint(store, runId, recipe, init);
  const made = { runId, version, parent: null, madeBy: 'initial', metrics: {}, keep: true };
  return withAdapters(store, recipe, { ...made, ...beginning });
}

/** What the recipe's `policy.lora` makes of a first version. */
async function withAdapters<Version extends Beginning & { runId: string }>(
  store: Store,
  { seed, policy: { lora } }: Recipe,
  made: Version,
): Promise<Version> {
  const { runId, decoder } = made;
  if (lora === undefined) return made;
  if (made.lora === undefined) {
    return { ...made, lora, parts: await onAdapters(store, { runId, seed, decoder, lora }, made.parts) };
  }
  if (isSameLora(made.lora, lora)) return made;
  throw new DomainError(
    'InvalidConfig',
    `policy.lora is ${JSON.stringify(lora)}; the policy that the run begins with has adapters of ${JSON.stringify(made.lora)}. Leave policy.lora out, or begin with the merged weights (policy export --merged, policy import)`,
    { lora, found: made.lora },
  );
}

type Init<Type> = Extract<Recipe['policy']['init'], { type: Type }>;

async function fromRandom(store: Store, runId: string, recipe: Recipe, init: Init<'random'>): Promise<Beginning> {
  const tokenizerJson = await readTokenizer(init.tokenizer);
  const decoder = decoderOf(init.decoder, PolicyTokenizer.load(tokenizerJson).vocabSize);
  const parts: PolicyDocument['parts'] = {};
  for (const part of partsOf(recipe.policy.layout)) {
    const draw = (name: string, length: number) =>
      fillNormal(`${recipe.seed}/initial/${name}`, new Float32Array(length), 1);
    const parameters = initialParameters(decoder, draw, init.initialStd);
    parts[part] = await storePart(store, { runId, version, decoder }, { part, parameters, optimizer: null });
  }
  const tokenizer = await store.blobs.put(new TextEncoder().encode(tokenizerJson), policyId(runId, version));
  return { decoder, tokenizer, parts };
}

/** The vocabulary is the tokenizer's: an id beyond it could be sampled but never decoded. */
function decoderOf(decoder: Init<'random'>['decoder'], vocabSize: number): DecoderConfig {
  return checkDecoderConfig({
    ...decoder,
    vocabSize,
    attentionBias: decoder.architecture === 'qwen2',
    qkNorm: decoder.architecture === 'qwen3',
  });
}

/** Every part begins with the same weights, which are stored once. */
async function fromCheckpoint(
  store: Store,
  runId: string,
  recipe: Recipe,
  init: Init<'checkpoint'>,
): Promise<Beginning> {
  const checkpoint = await openFolder(init.directory);
  const { weights, ...rest } = await storeCheckpoint(store, policyId(runId, version), checkpoint, init.maxPositions);
  const record = { changedIn: version, weights, optimizer: null, optimizerStep: 0 };
  return { ...rest, parts: Object.fromEntries(partsOf(recipe.policy.layout).map((part) => [part, record])) };
}
