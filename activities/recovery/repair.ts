/**
 * Makes damaged or lost blobs of a policy version again, by doing again what made them. The bits must be the same: a blob
 * is only ever replaced by content of its own digest. Where the parent is not whole either, it is made again first.
 */
import { DomainError, isDomainError } from '../../shared/errors.ts';
import type { Attempt } from '../boundary.ts';
import { deriveTuning } from '../fine-tune.ts';
import { deriveInitial } from '../initialize-policy.ts';
import { partDigests } from '../policy/commit.ts';
import type { PolicyDraft } from '../policy/commit.ts';
import { readPolicy } from '../policy/read-policy.ts';
import { engineAddingUp } from '../policy/stored-gradients.ts';
import type { TrainDeps } from '../rollout/context.ts';
import { readRun } from '../run-context.ts';
import { digestOf } from '../store/blobs.ts';
import type { BlobPieces, Blobs } from '../store/blobs.ts';
import type { PolicyDocument } from '../store/documents.ts';
import { deriveUpdate } from '../update-policy.ts';
import { rateFactorThen, recipeThen } from './recipe-then.ts';

export interface Repair {
  /** Digests of the blobs that are whole again. */
  restored: string[];
  /** Versions that were made again for it, in that order. */
  derived: string[];
}

/** Throws `CheckpointCorrupt` where this machine makes other bits, and as `readPolicy` and the update do. */
export async function repairVersion(
  deps: TrainDeps,
  { runId, version }: { runId: string; version: number },
  attempt: Attempt,
): Promise<Repair> {
  const repairer = new Repairer(deps, attempt);
  const policy = await readPolicy(deps.store, runId, version);
  // Asked for by name, a version is to be whole: what retention took from it too. The next iteration may take it again.
  await repairer.mend(policy, { withPruned: true, wantsPruned: true });
  await deps.store.policies.updateOne({ _id: policy._id }, { $unset: { pruned: 1 } });
  return repairer.repair;
}

class Repairer {
  readonly repair: Repair = { restored: [], derived: [] };
  readonly #deps: TrainDeps;
  readonly #attempt: Attempt;
  /** Digests that are to be put in place when they are made. */
  readonly #wanted = new Set<string>();

  constructor(deps: TrainDeps, attempt: Attempt) {
    this.#attempt = attempt;
    this.#deps = { ...deps, store: { ...deps.store, blobs: this.#restoring(deps.store.blobs) } };
  }

  /** Derives the versions in which the damaged blobs were made; those that were given up, and stores those, only where asked to. */
  async mend(policy: PolicyDocument, { withPruned = false, wantsPruned = false } = {}): Promise<void> {
    const origins = new Set<number>();
    for (const { digest, madeIn, isPruned } of blobsOf(policy, withPruned)) {
      if (await this.#isWhole(digest)) continue;
      if (!isPruned || wantsPruned) this.#wanted.add(digest);
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
    throw new DomainError(
      'CheckpointCorrupt',
      `${policy._id} cannot be made again here: doing again what made it gives other bits than its record names, so this machine, program version or source is another one. Go on from an older version: npx metaagentx fork ${runId}@v${parent ?? 0} --run-id NEW`,
      { policy: policy._id },
    );
  }

  async #made(deps: TrainDeps, policy: PolicyDocument, rateFactor: number): Promise<PolicyDraft> {
    const { runId, version, madeBy, metrics, keep } = policy;
    if (madeBy === 'import') {
      throw new DomainError(
        'CheckpointCorrupt',
        `${policy._id} was imported: only its folder has these weights. Import it again`,
        {
          policy: policy._id,
        },
      );
    }
    if (policy.parent === null) {
      const { init } = (await deps.runs.run({ runId })).recipe.policy;
      // The blobs are another run's: it alone can make them.
      if (init.type === 'policy') await this.mend(await readPolicy(deps.store, init.runId, init.version));
      return deriveInitial(deps, { runId });
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
  #restoring(blobs: Blobs): Blobs {
    return {
      ...blobs,
      put: async (content) => {
        const bytes = content instanceof Uint8Array ? content : await wholeOf(content);
        const digest = digestOf(bytes);
        if (!this.#wanted.delete(digest)) return digest;
        await blobs.restore(digest, bytes);
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

interface BlobUse {
  digest: string;
  /** Version whose making made it. */
  madeIn: number;
  isPruned: boolean;
}

/** What a version reads; blobs that were given up only where asked for. */
function blobsOf({ parts, tokenizer, folder, pruned }: PolicyDocument, withPruned = false): BlobUse[] {
  const uses: BlobUse[] = [tokenizer, ...(folder?.files ?? []).map(({ digest }) => digest)].map((digest) => ({
    digest,
    madeIn: 0,
    isPruned: false,
  }));
  for (const { changedIn: madeIn, weights, base, optimizer } of Object.values(parts)) {
    if (base !== undefined) uses.push({ digest: base, madeIn: 0, isPruned: false });
    uses.push({ digest: weights, madeIn, isPruned: pruned?.weights === true });
    if (optimizer !== null) uses.push({ digest: optimizer, madeIn, isPruned: pruned?.optimizer === true });
  }
  return uses.filter(({ isPruned }) => withPruned || !isPruned);
}
