/**
 * Which weights this worker's engine holds. They are loaded from the store when first used, stay while anyone uses them,
 * and leave when newer ones need their place. They are found by what they are, never by a version's number: a run that
 * was rolled back may commit other weights under the same number. Knows roles and parts; the engine knows neither.
 */
import { DomainError } from '../../shared/errors.ts';
import type { Role } from '../../shared/domain/role.ts';
import { tensorReader } from '../../shared/model/checkpoint/safetensors.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import type { OptimizerState, PolicyEngine, PolicySource } from '../runtime/engine/contract.ts';
import { PolicyTokenizer } from '../runtime/tokenizer/policy-tokenizer.ts';
import type { TokenizerTexts } from '../runtime/tokenizer/policy-tokenizer.ts';
import type { PolicyDocument, PolicyPart, PolicyPartRecord } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';
import { SharedReads } from '../store/shared-reads.ts';
import { engineVersion, partOf } from './parts.ts';
import { readPolicy } from './read-policy.ts';
import { readTokenizerTexts } from './tokenizer-texts.ts';
import type { Layout } from './parts.ts';

/** Unused parts that stay loaded: the current and the next version of a shared or a split policy. */
const idleParts = 4;

export interface ResidentPolicy {
  /** The engine's name for the weights. */
  engineVersion: string;
  part: PolicyPart;
  tokenizer: PolicyTokenizer;
  decoder: DecoderConfig;
  policy: PolicyDocument;
}

/** A tokenizer and what it was made of. */
interface Readable {
  texts: TokenizerTexts;
  tokenizer: PolicyTokenizer;
}

interface Entry {
  /** What the engine calls the weights. */
  name: string;
  ready: Promise<void>;
  users: number;
  /** Of an adapter: the entry that it is put on, which stays as long as it does. */
  base?: string;
}

type Content = Pick<PolicyDocument, 'decoder' | 'lora' | 'tokenizer' | 'folder'>;

/** What a version without its moments is called besides: it is another one to the engine, from which nothing is learned. */
const withoutMoments = ' without moments';

/** What weights are: their digests, and what they are read with. */
const contentKey = (
  { decoder, lora, tokenizer, folder }: Content,
  { weights, base, optimizer }: PolicyPartRecord,
): string => JSON.stringify([weights, base, optimizer, decoder, lora, tokenizer, folder?.files]);

/** Frozen weights under adapters; the engine knows them by it too. */
const baseKey = ({ decoder }: Pick<Content, 'decoder'>, digest: string) => `base ${digest} ${decoder.maxPositions}`;

const momentsGone = ({ runId, version, pruned }: PolicyDocument, digest: string): string =>
  pruned?.optimizer === true
    ? `the optimizer moments of ${runId}@v${version} were pruned (retention.optimizer of the recipe): nothing can be learned from it`
    : `the optimizer moments of ${runId}@v${version} (blob ${digest}) are not in the store: nothing can be learned from it without them. Make them again with: npx metaagentx repair ${runId}@v${version}, then: npx metaagentx resume ${runId}`;

export class PolicyResidence {
  readonly #store: Store;
  readonly #engine: PolicyEngine;
  /** By content, in order of last use, oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #tokenizers = new Map<string, Promise<Readable>>();
  readonly #policies = new SharedReads<PolicyDocument>();

  constructor(store: Store, engine: PolicyEngine) {
    this.#store = store;
    this.#engine = engine;
  }

  /** Throws as `readPolicy` does. */
  policy(runId: string, version: number): Promise<PolicyDocument> {
    return readPolicy(this.#store, runId, version);
  }

  /** Runs `task` with the role's weights loaded; they stay loaded until it ends. */
  async with<Result>(
    { runId, version, role, layout }: { runId: string; version: number; role: Role; layout: Layout },
    task: (resident: ResidentPolicy) => Promise<Result>,
  ): Promise<Result> {
    const policy = await this.#policies.read(`${runId}@${version}`, () => this.policy(runId, version));
    const part = partOf(layout, role);
    const record = policy.parts[part];
    if (record === undefined) {
      throw new DomainError('CheckpointMissing', `${policy._id} has no '${part}' weights`, {
        policy: policy._id,
        part,
      });
    }
    const name = engineVersion(runId, part, record);
    const { texts, tokenizer } = await this.#tokenizer(policy);
    const entry = await this.#readyPart(name, policy, texts, record);
    try {
      return await task({ engineVersion: entry.name, part, tokenizer, decoder: policy.decoder, policy });
    } finally {
      entry.users -= 1;
      await this.#evict();
    }
  }

  /** Notes that the engine made the weights itself, under `name`, so that they are found and evicted like loaded ones. */
  async adopt(name: string, content: Content, record: PolicyPartRecord): Promise<void> {
    const key = contentKey(content, record);
    const base = content.lora === undefined || record.base === undefined ? undefined : baseKey(content, record.base);
    if (this.#entries.has(key)) await this.#engine.unloadPolicy(name);
    else this.#entries.set(key, { name, ready: Promise.resolve(), users: 0, base });
  }

  async #readyPart(
    name: string,
    policy: PolicyDocument,
    texts: TokenizerTexts,
    record: PolicyPartRecord,
  ): Promise<Entry> {
    for (let isAgain = false; ; isAgain = true) {
      const entry = this.#claimPart(name, policy, texts, record, await this.#lackOf(policy, record));
      try {
        await entry.ready;
        return entry;
      } catch (error) {
        entry.users -= 1;
        // Moments that were pruned while they were read are no reason not to sample.
        if (isAgain || (await this.#lackOf(policy, record)) === undefined) throw error;
      }
    }
  }

  /**
   * Why nothing may be learned from a version whose moments are neither resident nor in the store: those of an old version were
   * pruned, the newest writes may be lost. It can still be sampled from. Asked again at each use: a repair brings them back.
   */
  async #lackOf(policy: PolicyDocument, record: PolicyPartRecord): Promise<string | undefined> {
    const { optimizer: digest } = record;
    if (digest === null || this.#entries.has(contentKey(policy, record))) return undefined;
    return (await this.#store.blobs.has(digest)) ? undefined : momentsGone(policy, digest);
  }

  #claimPart(
    whole: string,
    policy: PolicyDocument,
    texts: TokenizerTexts,
    record: PolicyPartRecord,
    untrainable: string | undefined,
  ): Entry {
    const { decoder, lora } = policy;
    const suffix = untrainable === undefined ? '' : withoutMoments;
    const [key, name] = [contentKey(policy, record) + suffix, whole + suffix];
    const source = { version: name, config: decoder, ...texts, untrainable };
    if (record.base === undefined || lora === undefined) {
      return this.#claim(key, name, () => this.#load(source, record));
    }
    const base = baseKey(policy, record.base);
    const load = async () => {
      const frozen = { weights: record.base!, optimizer: null, optimizerStep: 0 };
      const loadBase = () => this.#load({ version: base, config: decoder, ...texts }, frozen);
      const held = this.#claim(base, base, loadBase);
      try {
        await held.ready;
        const adapts = { version: base, lora };
        await this.#load({ ...source, adapts }, record);
      } finally {
        held.users -= 1;
      }
    };
    return this.#claim(key, name, load, base);
  }

  #claim(key: string, name: string, load: () => Promise<void>, base?: string): Entry {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { name, ready: load(), users: 0, base };
      entry.ready.catch(() => this.#entries.delete(key));
    }
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users += 1;
    return entry;
  }

  async #load(
    source: Omit<PolicySource, 'parameters' | 'optimizer'>,
    { weights, optimizer: digest, optimizerStep }: Omit<PolicyPartRecord, 'changedIn'>,
  ): Promise<void> {
    const isKnown = digest === null || source.untrainable !== undefined;
    const optimizer = isKnown ? undefined : await this.#moments(digest, optimizerStep);
    const parameters = await this.#tensors(weights);
    await this.#engine.loadPolicy({ ...source, parameters, optimizer });
  }

  #tensors(digest: string): Promise<Map<string, Float32Array>> {
    return this.#store.blobs.read(digest, (bytes) => tensorReader(bytes, `blob ${digest}`));
  }

  async #moments(digest: string, step: number): Promise<OptimizerState> {
    const m = new Map<string, Float32Array>();
    const v = new Map<string, Float32Array>();
    for (const [name, tensor] of await this.#tensors(digest)) {
      (name.startsWith('m:') ? m : v).set(name.slice(2), tensor);
    }
    return { m, v, step };
  }

  #tokenizer(policy: PolicyDocument): Promise<Readable> {
    const key = JSON.stringify([policy.tokenizer, policy.folder?.files, policy.decoder.vocabSize]);
    let found = this.#tokenizers.get(key);
    if (found === undefined) {
      found = readTokenizerTexts(this.#store, policy).then((texts) => ({
        texts,
        tokenizer: PolicyTokenizer.of(texts, policy.decoder.vocabSize),
      }));
      found.catch(() => this.#tokenizers.delete(key));
      this.#tokenizers.set(key, found);
    }
    return found;
  }

  async #evict(): Promise<void> {
    const bases = new Set([...this.#entries.values()].map(({ base }) => base));
    const idle = [...this.#entries].filter(([key, entry]) => entry.users === 0 && !bases.has(key));
    const leaving = idle.slice(0, Math.max(0, idle.length - idleParts));
    // All are forgotten before any is waited for: nobody claims meanwhile what is about to go.
    for (const [key] of leaving) this.#entries.delete(key);
    await Promise.all(leaving.map(([, { name }]) => this.#engine.unloadPolicy(name)));
  }
}
