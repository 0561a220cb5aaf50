/**
 * An update's gradients by way of the store: shards of the micro-batches are computed by any gpu workers, and one adds them
 * up in the order of the micro-batches. Which worker computed what, when, and in how many shards changes no bit. An undivided
 * update adds inside the products of its graph instead, so its last bits may be others.
 */
import { DomainError } from '../../shared/errors.ts';
import { policyId } from '../../shared/domain/ids.ts';
import type { StoredGradient, UpdatePolicyInput } from '../../shared/domain/tasks.ts';
import { safetensorsPieces, tensorReader } from '../../shared/model/checkpoint/safetensors.ts';
import { adapterShapes } from '../../shared/model/lora.ts';
import { parameterShapes } from '../../shared/model/parameters.ts';
import type { TrainDeps } from '../rollout/context.ts';
import type {
  MicroBatchGradient,
  PolicyEngine,
  Tensors,
  TrainResult,
  UpdateRequest,
} from '../runtime/engine/contract.ts';
import { onlyMiniBatch } from '../runtime/engine/trainer.ts';
import { checkFinite, tokensOf } from '../runtime/engine/training-loop.ts';
import { TrainingTally } from '../runtime/engine/training-tally.ts';
import type { Store } from '../store/connect.ts';
import { isNeeded } from '../store/collect-garbage.ts';

type Making = Pick<UpdatePolicyInput, 'runId' | 'baseVersion'>;

/** Content-addressed, and claimed for the version that they are computed for until it is committed. */
export async function storeGradients(
  { store, policies }: Pick<TrainDeps, 'store' | 'policies'>,
  { runId, baseVersion }: Making,
  made: readonly MicroBatchGradient[],
): Promise<StoredGradient[]> {
  const { decoder, lora } = await policies.policy(runId, baseVersion);
  const shapes = lora === undefined ? parameterShapes(decoder) : adapterShapes(decoder, lora);
  const stored: StoredGradient[] = [];
  for (const { gradients, loss, tally, halved } of made) {
    const pieces = () => safetensorsPieces(gradients, (name) => shapes.get(name)!);
    stored.push({ digest: await store.blobs.put(pieces, policyId(runId, baseVersion + 1)), loss, tally, halved });
  }
  return stored;
}

/** The engine, but an update takes its gradients from the store. */
export function engineOnGradients(
  { store, engine }: Pick<TrainDeps, 'store' | 'engine'>,
  stored: readonly StoredGradient[],
): PolicyEngine {
  const read = (digest: string) => store.blobs.read(digest, (bytes) => tensorReader(bytes, `gradients ${digest}`));
  const parts = stored.map((part) => ({ ...part, gradients: () => read(part.digest) }));
  return { ...engine, update: (request, control) => stepOn(engine, request, parts, control?.signal) };
}

/** The engine, but an update computes what shards would, one after another, and adds it up as they would. */
export const engineAddingUp = (engine: PolicyEngine): PolicyEngine => ({
  ...engine,
  async update({ newVersion, ...request }, control) {
    const made = await engine.gradients({ ...request, share: { index: 0, of: 1 } }, control);
    const parts = made.map((part) => ({ ...part, gradients: async () => part.gradients }));
    return stepOn(engine, { newVersion, ...request }, parts, control?.signal);
  },
});

/** One micro-batch of an update. */
type Part = Omit<StoredGradient, 'digest'> & { gradients: () => Promise<Tensors> };

async function stepOn(
  engine: PolicyEngine,
  { baseVersion, newVersion, sequences, settings }: UpdateRequest,
  parts: readonly Part[],
  signal?: AbortSignal,
): Promise<TrainResult> {
  const chosen = onlyMiniBatch(sequences, settings);
  const loss = parts.reduce((sum, part) => sum + part.loss, 0);
  checkFinite('loss', loss, 1, chosen);
  const tally = parts.reduce((sum, part) => sum.plus(TrainingTally.of(part.tally)), new TrainingTally());
  tally.sums.loss += loss * tokensOf(chosen);
  const { clipLow, clipHigh, klCoef, entropyCoef } = settings;
  const means = tally.means({ type: 'policy', clipLow, clipHigh, klCoef, entropyCoef });
  const metrics = {
    ...means,
    steps: 1,
    lossByStep: [loss],
    memoryHalvings: parts.some(({ halved }) => halved) ? 1 : 0,
  };
  const gradients = await sumOf(parts, signal);
  return engine.step({ baseVersion, newVersion, gradients, settings, sequences: chosen, metrics });
}

/** float32 sums in the order given. */
async function sumOf(parts: readonly Part[], signal?: AbortSignal): Promise<Tensors> {
  const sums: Tensors = new Map();
  for (const part of parts) {
    signal?.throwIfAborted();
    for (const [name, tensor] of await part.gradients()) {
      const sum = sums.get(name);
      if (sum === undefined) sums.set(name, tensor);
      else if (sum.length === tensor.length) tensor.forEach((value, at) => (sum[at]! += value));
      else
        throw new DomainError(
          'ShapeMismatch',
          `gradient '${name}' has ${tensor.length} numbers; expected ${sum.length}`,
          { name },
        );
    }
  }
  return sums;
}

/** Once the version is committed nobody needs its gradients. */
export async function dropGradients(store: Store, stored: readonly StoredGradient[]): Promise<void> {
  for (const digest of new Set(stored.map((gradient) => gradient.digest))) {
    await store.blobs.remove(digest, () => isNeeded(store, digest));
  }
}
