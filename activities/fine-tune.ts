/**
 * One chunk of the cold start: supervised fine-tuning of both roles on generated or collected examples. A chunk is a slice of one long
 * schedule and commits a version, so a crash costs at most one chunk; the last one resets the optimizer for RL.
 */
import type { ColdStart } from './policy/cold-start-data.ts';
import { coldStartExamples } from './policy/cold-start-data.ts';
import { policyId } from '../shared/domain/ids.ts';
import type { Role } from '../shared/domain/role.ts';
import type { FineTuneInput } from '../shared/domain/tasks.ts';
import { DomainError } from '../shared/errors.ts';
import type { Attempt } from './boundary.ts';
import { commitPolicy, heritageOf, storePart } from './policy/commit.ts';
import type { PolicyDraft } from './policy/commit.ts';
import { inTheMaking } from './policy/in-the-making.ts';
import { engineVersionInTheMaking, partsOf } from './policy/parts.ts';
import type { ResidentPolicy } from './policy/residence.ts';
import { supervisedExample } from './policy/supervised-example.ts';
import type { TrainDeps } from './rollout/context.ts';
import type { SftSettings, TrainResult } from './runtime/engine/contract.ts';
import type { PolicyDocument } from './store/documents.ts';

export async function fineTune(deps: TrainDeps, input: FineTuneInput, attempt: Attempt): Promise<number> {
  const version = input.baseVersion + 1;
  if ((await deps.store.policies.findOne({ _id: policyId(input.runId, version) })) !== null) return version;
  await commitPolicy(deps.store, await deriveTuning(deps, input, attempt));
  return version;
}

/** The version that the chunk makes, its blobs stored. The same weights and settings give the same digests. */
export async function deriveTuning(deps: TrainDeps, input: FineTuneInput, attempt: Attempt): Promise<PolicyDraft> {
  const { runId, chunk, baseVersion } = input;
  const version = baseVersion + 1;
  const { recipe } = await deps.runs.run(input);
  const { coldStart } = recipe;
  if (coldStart.type === 'none') {
    throw new DomainError('InvalidInput', `run '${runId}' has no cold start in its recipe`, { runId });
  }
  const base = await deps.policies.policy(runId, baseVersion);
  const isLast = chunk === coldStart.chunks;
  const parts: PolicyDocument['parts'] = {};
  const metrics: Record<string, number> = {};
  for (const part of partsOf(recipe.policy.layout)) {
    const role: Role = part === 'shared' ? 'executor' : part;
    const use = { runId, version: baseVersion, role, layout: recipe.policy.layout };
    await deps.policies.with(use, async (policy) => {
      const newVersion = engineVersionInTheMaking(runId, version, part, attempt.name);
      const tuning = { policy, newVersion, chunk, coldStart, seed: recipe.seed, runId };
      const making = { runId, version, decoder: base.decoder, lora: base.lora };
      await inTheMaking(deps.engine, newVersion, async () => {
        const tuned = await tune(deps, { ...tuning, rateFactor: input.rateFactor ?? 1 }, attempt);
        const changed = { part, parameters: tuned.parameters, optimizer: isLast ? null : tuned.optimizer };
        const record = await storePart(deps.store, making, changed, base.parts[part]!.base);
        parts[part] = record;
        metrics[`${part}Loss`] = tuned.metrics.loss;
        // The resident copy of the last chunk still has SFT moments: RL must start from the stored version, without them.
        if (isLast) await deps.engine.unloadPolicy(tuned.version);
        else await deps.policies.adopt(tuned.version, base, record);
      });
    });
  }
  const madeBy = `cold-start-${chunk}`;
  return { runId, version, parent: baseVersion, madeBy, ...heritageOf(base), parts, metrics, keep: isLast };
}

interface Tuning {
  policy: ResidentPolicy;
  newVersion: string;
  chunk: number;
  coldStart: ColdStart;
  seed: number;
  runId: string;
  /** By which the recipe's learning rate is multiplied. */
  rateFactor: number;
}

async function tune(deps: TrainDeps, tuning: Tuning, attempt: Attempt): Promise<TrainResult> {
  const { policy, newVersion, chunk, seed, runId } = tuning;
  const coldStart = { ...tuning.coldStart, learningRate: tuning.coldStart.learningRate * tuning.rateFactor };
  const { maxPositions } = policy.decoder;
  const examples = (await coldStartExamples(deps.store, coldStart, seed, policy.part))
    .map(({ id, messages, response }) => supervisedExample(policy.tokenizer, id, messages, response))
    .filter(({ promptIds, responseIds }) => promptIds.length + responseIds.length <= maxPositions);
  if (examples.length === 0) {
    throw new DomainError(
      'InvalidInput',
      `no example of the cold start fits the ${policy.part} policy's context of ${maxPositions} tokens`,
      { runId, maxPositions },
    );
  }
  return deps.engine.sft(
    {
      baseVersion: policy.engineVersion,
      newVersion,
      examples,
      settings: chunkSettings(coldStart, chunk, `${seed}/cold-start/${policy.part}`),
    },
    { signal: attempt.signal, onProgress: attempt.progress },
  );
}

/** The slice of the whole schedule (warm-up, then linear decay to a tenth) that this chunk runs. */
function chunkSettings(coldStart: ColdStart, chunk: number, orderKey: string): SftSettings {
  const { steps, chunks, learningRate, warmupSteps } = coldStart;
  const bounds = (part: number) => Math.round((part * steps) / chunks);
  const [from, to] = [bounds(chunk - 1), bounds(chunk)];
  const rateAt = (step: number) => learningRate * (1 - (0.9 * step) / steps);
  return {
    steps: to - from,
    batchSize: coldStart.batchSize,
    learningRate: rateAt(from),
    finalLearningRate: rateAt(to),
    schedule: 'linear',
    warmupSteps: chunk === 1 ? warmupSteps : 0,
    beta1: coldStart.beta1,
    beta2: coldStart.beta2,
    epsilon: coldStart.epsilon,
    weightDecay: coldStart.weightDecay,
    maxGradNorm: coldStart.maxGradNorm,
    maxTokensPerMicroBatch: coldStart.maxTokensPerMicroBatch,
    recompute: coldStart.recompute,
    precision: coldStart.precision,
    orderKey: `${orderKey}/chunk-${chunk}`,
  };
}
