/**
 * One chunk of the cold start: supervised fine-tuning of both roles on generated examples. A chunk is a slice of one long
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
import { engineVersion, partsOf } from './policy/parts.ts';
import type { ResidentPolicy } from './policy/residence.ts';
import { supervisedExample } from './policy/supervised-example.ts';
import type { RolloutDeps } from './rollout/context.ts';
import type { SftSettings, TrainResult } from './runtime/engine/contract.ts';
import type { PolicyDocument } from './store/documents.ts';

export async function fineTune(deps: RolloutDeps, input: FineTuneInput, attempt: Attempt): Promise<number> {
  const { runId, chunk, baseVersion } = input;
  const version = baseVersion + 1;
  if ((await deps.store.policies.findOne({ _id: policyId(runId, version) })) !== null) return version;
  const { recipe } = await deps.runs.run(runId);
  const { coldStart } = recipe;
  if (coldStart.type === 'none') {
    throw new DomainError('InvalidInput', `run '${runId}' has no cold start in its recipe`, { runId });
  }
  const parts: PolicyDocument['parts'] = {};
  const metrics: Record<string, number> = {};
  let base: PolicyDocument | undefined;
  for (const part of partsOf(recipe.policy.layout)) {
    const role: Role = part === 'shared' ? 'executor' : part;
    const use = { runId, version: baseVersion, role, layout: recipe.policy.layout };
    await deps.policies.with(use, async (policy) => {
      base = policy.policy;
      const tuned = await tune(deps, { policy, chunk, coldStart, seed: recipe.seed, runId, version }, attempt);
      const isLast = chunk === coldStart.chunks;
      const optimizer = isLast ? null : tuned.optimizer;
      const { decoder, lora } = base;
      const changed = { part, parameters: tuned.parameters, optimizer };
      parts[part] = await storePart(deps.store, { runId, version, decoder, lora }, changed, base.parts[part]!.base);
      metrics[`${part}Loss`] = tuned.metrics.loss;
      // The resident copy of the last chunk still has SFT moments: RL must start from the stored version, without them.
      if (isLast) await deps.engine.unloadPolicy(tuned.version);
      else deps.policies.adopt(tuned.version, policy.engineVersion);
    });
  }
  await commitPolicy(deps.store, {
    runId,
    version,
    parent: baseVersion,
    madeBy: `cold-start-${chunk}`,
    ...heritageOf(base!),
    parts,
    metrics,
    keep: chunk === coldStart.chunks,
  });
  return version;
}

interface Tuning {
  policy: ResidentPolicy;
  chunk: number;
  coldStart: ColdStart;
  seed: number;
  runId: string;
  version: number;
}

function tune(deps: RolloutDeps, tuning: Tuning, attempt: Attempt): Promise<TrainResult> {
  const { policy, chunk, coldStart, seed, runId, version } = tuning;
  const examples = coldStartExamples(coldStart, seed, policy.part).map(({ id, messages, response }) =>
    supervisedExample(policy.tokenizer, id, messages, response),
  );
  return deps.engine.sft(
    {
      baseVersion: policy.engineVersion,
      newVersion: engineVersion(runId, version, policy.part),
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
    orderKey: `${orderKey}/chunk-${chunk}`,
  };
}
