/** Version 0 of a run: seeded random weights, or those of another run's version, with the tokenizer as a blob of its own. */
import { policyId } from '../shared/domain/ids.ts';
import { fillNormal } from '../shared/random.ts';
import type { DecoderConfig } from '../shared/model/config.ts';
import { checkDecoderConfig } from '../shared/model/config.ts';
import { initialParameters } from '../shared/model/parameters.ts';
import { DomainError } from '../shared/errors.ts';
import type { Recipe } from '../shared/config/recipe.ts';
import { inheritedPolicy } from './policy/inherited-policy.ts';
import { commitPolicy, storePart } from './policy/commit.ts';
import { partsOf } from './policy/parts.ts';
import type { RunContexts } from './run-context.ts';
import type { PolicyDocument } from './store/documents.ts';
import type { Store } from './store/connect.ts';
import { PolicyTokenizer } from './runtime/tokenizer/policy-tokenizer.ts';
import { readTokenizer } from './policy/tokenizer-file.ts';

export async function initializePolicy(
  { store, runs }: { store: Store; runs: RunContexts },
  runId: string,
): Promise<number> {
  const version = 0;
  if ((await store.policies.findOne({ _id: policyId(runId, version) })) !== null) return version;
  const { recipe } = await runs.run(runId);
  const { init, layout } = recipe.policy;
  if (init.type === 'policy') {
    await commitPolicy(store, await inheritedPolicy(store, runId, init, layout));
    return version;
  }
  if (init.type !== 'random') {
    throw new DomainError(
      'UnsupportedModel',
      `policy.init.type '${init.type}' cannot be trained here yet; use 'random'`,
      { init },
    );
  }
  const tokenizerJson = await readTokenizer(init.tokenizer);
  const decoder = decoderOf(init.decoder, PolicyTokenizer.load(tokenizerJson).vocabSize);
  const parts: PolicyDocument['parts'] = {};
  for (const part of partsOf(layout)) {
    const draw = (name: string, length: number) =>
      fillNormal(`${recipe.seed}/initial/${name}`, new Float32Array(length), 1);
    const parameters = initialParameters(decoder, draw, init.initialStd);
    parts[part] = await storePart(store, { runId, version, decoder }, { part, parameters, optimizer: null });
  }
  await commitPolicy(store, {
    runId,
    version,
    parent: null,
    madeBy: 'initial',
    decoder,
    tokenizer: await store.blobs.put(new TextEncoder().encode(tokenizerJson), policyId(runId, version)),
    parts,
    metrics: {},
    keep: true,
  });
  return version;
}

type RandomInit = Extract<Recipe['policy']['init'], { type: 'random' }>;

/** The vocabulary is the tokenizer's: an id beyond it could be sampled but never decoded. */
function decoderOf(decoder: RandomInit['decoder'], vocabSize: number): DecoderConfig {
  return checkDecoderConfig({
    ...decoder,
    vocabSize,
    attentionBias: decoder.architecture === 'qwen2',
    qkNorm: decoder.architecture === 'qwen3',
  });
}
