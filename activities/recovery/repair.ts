/**
 * Makes damaged or lost blobs of a policy version again, by doing again what made them. The bits must be the same: a blob
 * is only ever replaced by content of its own digest. Where the parent is not whole either, or the version of another run that
 * this one begins with, it is made again first: from the nearest ancestor of which everything is there.
 */
import { randomUUID } from 'node:crypto';
import { policyId } from '../../shared/domain/ids.ts';
import { DomainError, isDomainError } from '../../shared/errors.ts';
import type { Attempt } from '../boundary.ts';
import { deriveTuning } from '../fine-tune.ts';
import { deriveInitial } from '../initialize-policy.ts';
import { partDigests } from '../policy/commit.ts';
import type { PolicyDraft } from '../policy/commit.ts';
import { blobsOf, digestsOf } from '../policy/blob-uses.ts';
import { readPolicy } from '../policy/read-policy.ts';
import { engineAddingUp } from '../policy/stored-gradients.ts';
import type { TrainDeps } from '../rollout/context.ts';
import { readRun } from '../run-context.ts';
import { digestOf, heldForMs } from '../store/blobs.ts';
import type { BlobPieces, Blobs } from '../store/blobs.ts';
import type { PolicyDocument, RunDocument } from '../store/documents.ts';
import { deriveUpdate } from '../update-policy.ts';
import { whatIsMissing } from './batch-wholeness.ts';
import { rateFactorThen, recipeThen } from './recipe-then.ts';
import { unrepairable } from './unrepairable.ts';

export interface Repair {
  /** Digests of the blobs that are whole again. */
  restored: string[];
  /** Versions that were made again for it, in that order. */
  derived: string[];
}

/** By how much sooner than it must a repair says that it is at work. */
const renewals = 60;

/**
 * Throws `CheckpointCorrupt` where this machine makes other bits, and as `readPolicy` and the update do; what can be done
 * nevertheless is said where it cannot be made again.
 */
export async function repairVersion(
  deps: TrainDeps,
  { runId, version }: { runId: string; version: number },
  attempt: Attempt,
): Promise<Repair> {
  const { store } = deps;
  const policy = await readPolicy(store, runId, version);
  const holder = `repair ${policy._id} ${randomUUID()}`;
  const renewing = setInterval(() => void store.blobs.renew(holder).catch(() => undefined), heldForMs / renewals);
  const repairer = new Repairer(deps, attempt, holder);
  try {
    // Asked for by name, a version is to be whole: what retention took from it too. The next iteration may take it again.
    await repairer.mend(policy, { withPruned: true, wantsPruned: true });
    if (repairer.missing.size > 0) throw otherBits(policy, 'its tokenizer or its files are others at their source');
    await store.policies.updateOne({ _id: policy._id }, { $unset: { pruned: 1 } });
    return repairer.repair;
  } catch (error) {
    throw await unrepairable(store, policy, repairer.missing, error);
  } finally {
    clearInterval(renewing);
    // What is not released lapses.
    await store.blobs.release(holder).catch(() => undefined);
  }
}

const otherBits = ({ _id: id }: PolicyDocument, why: string) =>
  new DomainError(
    'CheckpointCorrupt',
    `doing again what made ${id} gives other bits than its record names, for ${why}`,
    { policy: id },
  );

interface MendOptions {
  withPruned?: boolean;
  wantsPruned?: boolean;
  /** Digests that matter; absent: all. */
  among?: ReadonlySet<string>;
}

class Repairer {
  readonly repair: Repair = { restored: [], derived: [] };
  readonly #deps: TrainDeps;
  readonly #attempt: Attempt;
  /** By digest, what it is: they are to be put in place when they are made. */
  readonly #wanted = new Map<string, string>();

  /** `holder`: whose restored blobs are, until the repair is done. */
  constructor(deps: TrainDeps, attempt: Attempt, holder: string) {
    this.#attempt = attempt;
    this.#deps = { ...deps, store: { ...deps.store, blobs: this.#restoring(deps.store.blobs, holder) } };
  }

  /** By digest, what is wanted and could not be made. */
  get missing(): ReadonlyMap<string, string> {
    return this.#wanted;
  }

  /** Derives the versions in which the damaged blobs were made; those that were given up, and stores those, only where asked to. */
  async mend(policy: PolicyDocument, options: MendOptions = {}): Promise<void> {
    const { withPruned = false, wantsPruned = false, among } = options;
    const origins = new Set<number>();
    for (const { digest, what, madeIn, isPruned } of blobsOf(policy, withPruned)) {
      if (among?.has(digest) === false || (await this.#isWhole(digest))) continue;
      if (!isPruned || wantsPruned) this.#wanted.set(digest, `${what} of ${policy._id}`);
      origins.add(madeIn);
    }
    for (const version of [...origins].sort((a, b) => a - b)) {
      await this.#derive(await readPolicy(this.#deps.store, policy.runId, version));
    }
  }

  /** Does what made the version again; its weights are then resident, and its wanted blobs in place. */
  async #derive(policy: PolicyDocument): Promise<void> {
    const { runId, version, parent } = policy;
    if (this.repair.derived.includes(policy._id)) return;
    // An update needs its base's weights and moments, those that were given up too.
    if (parent !== null) await this.mend(await readPolicy(this.#deps.store, runId, parent), { withPruned: true });
    const run = await readRun(this.#deps.store, runId);
    const then = { ...run, recipe: recipeThen(run, version) };
    const deps = { ...this.#deps, runs: { ...this.#deps.runs, run: async () => then } };
    const draft = await this.#made(deps, policy, rateFactorThen(run, policy));
    this.repair.derived.push(policy._id);
    if (partDigests(draft) === partDigests(policy)) return;
    throw otherBits(policy, await this.#whatIsOther(then, policy));
  }

  async #whatIsOther({ plan, recipe }: RunDocument, { madeBy, parent }: PolicyDocument): Promise<string> {
    const { init } = recipe.policy;
    if (parent === null && init.type === 'policy')
      return `${policyId(init.runId, init.version)}, with which it begins, is another version by now`;
    const { questionsPerIteration: questions, designsPerQuestion: designs, executionsPerDesign } = plan.rollout;
    const shape = { questions, designs, executions: executionsPerDesign, isTraining: true };
    const isUpdate = parent !== null && !madeBy.startsWith('cold-start-');
    const missing = isUpdate ? await whatIsMissing(this.#deps.store, madeBy, shape) : null;
    return missing === null
      ? 'this machine, program version or source is another one'
      : `the store has lost ${missing} of ${madeBy}, from which it was made`;
  }

  async #made(deps: TrainDeps, policy: PolicyDocument, rateFactor: number): Promise<PolicyDraft> {
    const { runId, version, madeBy, metrics, keep } = policy;
    if (madeBy === 'import') {
      throw new DomainError('CheckpointCorrupt', `${policy._id} was imported: only its folder has these weights`, {
        policy: policy._id,
      });
    }
    if (policy.parent === null) {
      const { init } = (await deps.runs.run({ runId })).recipe.policy;
      return deriveInitial(deps, { runId }, init.type === 'policy' ? await this.#origin(policy, init) : undefined);
    }
    const baseVersion = version - 1;
    const chunk = /^cold-start-(\d+)$/.exec(madeBy)?.[1];
    if (chunk !== undefined) {
      return deriveTuning(deps, { runId, chunk: Number(chunk), baseVersion, rateFactor }, this.#attempt);
    }
    const stage = await deps.store.iterations.findOne({ _id: madeBy }, { projection: { learner: 1 } });
    if (stage === null) {
      throw new DomainError('RecordConflict', `${policy._id} was made by ${madeBy}, which is not in the store`, {
        policy: policy._id,
      });
    }
    const { learner } = stage;
    const decision = metrics.skipped === 1 ? ({ choice: 'skip' } as const) : undefined;
    const { gradientShards } = (await deps.runs.run({ runId })).recipe.update;
    const engine = gradientShards === 1 ? deps.engine : engineAddingUp(deps.engine);
    return deriveUpdate(
      { ...deps, engine },
      { runId, batchId: madeBy, learner, baseVersion, keep, rateFactor, decision },
      this.#attempt,
    );
  }

  /**
   * The version of another run that this first one was taken from, its blobs in place: that run alone can make them, also where
   * retention has taken them from it.
   */
  async #origin(policy: PolicyDocument, init: { runId: string; version: number }): Promise<PolicyDocument> {
    const id = policyId(init.runId, init.version);
    const origin = await this.#deps.store.policies.findOne({ _id: id });
    if (origin === null) {
      throw new DomainError('CheckpointMissing', `${policy._id} begins with ${id}, whose record is not in the store`, {
        policy: id,
      });
    }
    await this.mend(origin, { withPruned: true, among: digestsOf(policy) });
    const { pruned: _given, ...whole } = origin;
    return whole;
  }

  async #isWhole(digest: string): Promise<boolean> {
    try {
      await this.#deps.store.blobs.read(digest, () => ({ push: () => undefined, finish: () => null }));
      return true;
    } catch (error) {
      if (isDomainError(error, 'CheckpointCorrupt') || isDomainError(error, 'CheckpointMissing')) return false;
      throw error;
    }
  }

  /** Stores nothing but what is wanted. */
  #restoring(blobs: Blobs, holder: string): Blobs {
    return {
      ...blobs,
      put: async (content) => {
        const bytes = content instanceof Uint8Array ? content : await wholeOf(content);
        const digest = digestOf(bytes);
        if (!this.#wanted.has(digest)) return digest;
        await blobs.restore(digest, bytes, holder);
        this.#wanted.delete(digest);
        this.repair.restored.push(digest);
        return digest;
      },
      release: async () => undefined,
    };
  }
}

async function wholeOf(pieces: BlobPieces): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces()) all.push(Uint8Array.from(piece));
  return Buffer.concat(all);
}
