/**
 * Which policy versions this worker's engine holds. A version is loaded from the store when first used, stays while
 * anyone uses it, and leaves when newer ones need its place. Knows roles and parts; the engine knows neither.
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
  ready: Promise<void>;
  users: number;
  /** Of an adapter: the entry that it is put on, which stays as long as it does. */
  base?: string;
}

export class PolicyResidence {
  readonly #store: Store;
  readonly #engine: PolicyEngine;
  /** In order of last use, oldest first. */
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
    const name = engineVersion(runId, record.changedIn, part);
    const { texts, tokenizer } = await this.#tokenizer(policy);
    const entry = this.#claimPart(name, policy, texts, record);
    try {
      await entry.ready;
      return await task({ engineVersion: name, part, tokenizer, decoder: policy.decoder, policy });
    } finally {
      entry.users -= 1;
      await this.#evict();
    }
  }

  /** Notes that the engine made a version itself from another, so that it is found and evicted like a loaded one. */
  adopt(name: string, from: string): void {
    if (this.#entries.has(name)) return;
    this.#entries.set(name, { ready: Promise.resolve(), users: 0, base: this.#entries.get(from)?.base });
  }

  #claimPart(name: string, { decoder, lora }: PolicyDocument, texts: TokenizerTexts, record: PolicyPartRecord): Entry {
    if (record.base === undefined || lora === undefined) {
      return this.#claim(name, () => this.#load({ version: name, config: decoder, ...texts }, record));
    }
    const base = `base ${record.base} ${decoder.maxPositions}`;
    return this.#claim(
      name,
      async () => {
        const whole = { weights: record.base!, optimizer: null, optimizerStep: 0 };
        const held = this.#claim(base, () => this.#load({ version: base, config: decoder, ...texts }, whole));
        try {
          await held.ready;
          const adapts = { version: base, lora };
          await this.#load({ version: name, config: decoder, ...texts, adapts }, record);
        } finally {
          held.users -= 1;
        }
      },
      base,
    );
  }

  #claim(name: string, load: () => Promise<void>, base?: string): Entry {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { ready: load(), users: 0, base };
      entry.ready.catch(() => this.#entries.delete(name));
    }
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    entry.users += 1;
    return entry;
  }

  async #load(
    source: Omit<PolicySource, 'parameters' | 'optimizer'>,
    { weights, optimizer: digest, optimizerStep }: Omit<PolicyPartRecord, 'changedIn'>,
  ): Promise<void> {
    const parameters = await this.#tensors(weights);
    const optimizer = digest === null ? undefined : await this.#moments(digest, optimizerStep);
    await this.#engine.loadPolicy({ ...source, parameters, optimizer });
  }

  #tensors(digest: string): Promise<Map<string, Float32Array>> {
    return this.#store.blobs.read(digest, (bytes) => tensorReader(bytes, `blob ${digest}`));
  }

  /** Moments of an old version may be pruned: it can still be sampled from, but not trained. */
  async #moments(digest: string, step: number): Promise<OptimizerState | undefined> {
    if (!(await this.#store.blobs.has(digest))) return undefined;
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
    const idle = [...this.#entries]
      .filter(([name, entry]) => entry.users === 0 && !bases.has(name))
      .map(([name]) => name);
    for (const name of idle.slice(0, Math.max(0, idle.length - idleParts))) {
      this.#entries.delete(name);
      await this.#engine.unloadPolicy(name);
    }
  }
}
