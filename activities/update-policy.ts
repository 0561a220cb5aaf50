/**
 * One policy update: the learning role's trajectories only; the frozen role contributes neither to the loss nor to the
 * optimizer (paper section 3.3). Commits the next version; a retry finds it and does nothing.
 */
import { policyId } from '../shared/domain/ids.ts';
import type { UpdatePolicyInput, UpdatePolicyResult } from '../shared/domain/tasks.ts';
import type { Role } from '../shared/domain/role.ts';
import type { Recipe } from '../shared/config/recipe.ts';
import type { Attempt } from './boundary.ts';
import { commitPolicy, heritageOf, storePart } from './policy/commit.ts';
import type { PolicyDraft } from './policy/commit.ts';
import { inTheMaking } from './policy/in-the-making.ts';
import { isRecomputed, logProbGapLimitOf, recomputeOldLogProbs } from './policy/old-log-probs.ts';
import { engineVersionInTheMaking, partOf, rolesOf } from './policy/parts.ts';
import { addReferenceLogProbs } from './policy/reference.ts';
import type { ResidentPolicy } from './policy/residence.ts';
import { dropGradients, engineOnGradients } from './policy/stored-gradients.ts';
import { readTrainingSequences } from './policy/training-sequences.ts';
import type { StoredSequence } from './policy/training-sequences.ts';
import type { TrainDeps } from './rollout/context.ts';
import type { TrainResult, UpdateRequest } from './runtime/engine/contract.ts';
import type { PolicyDocument, PolicyPart } from './store/documents.ts';

export async function updatePolicy(
  deps: TrainDeps,
  input: UpdatePolicyInput,
  attempt: Attempt,
): Promise<UpdatePolicyResult> {
  const version = input.baseVersion + 1;
  const standing = await deps.store.policies.findOne({ _id: policyId(input.runId, version) });
  const { gradients = [] } = input;
  if (standing !== null) {
    await dropGradients(deps.store, gradients);
    return { policyVersion: version, metrics: standing.metrics };
  }
  const engine = gradients.length === 0 ? deps.engine : engineOnGradients(deps, gradients);
  const draft = await deriveUpdate({ ...deps, engine }, input, attempt);
  await commitPolicy(deps.store, draft);
  await dropGradients(deps.store, gradients);
  return { policyVersion: version, metrics: draft.metrics };
}

/** The version that the update makes, its blobs stored. The same weights, documents and settings give the same digests. */
export async function deriveUpdate(deps: TrainDeps, input: UpdatePolicyInput, attempt: Attempt): Promise<PolicyDraft> {
  const { runId, batchId, baseVersion, keep, decision } = input;
  const version = baseVersion + 1;
  const base = await deps.policies.policy(runId, baseVersion);
  const made = { runId, version, parent: baseVersion, madeBy: batchId, ...heritageOf(base), keep };
  if (decision?.choice === 'skip') return { ...made, parts: base.parts, metrics: { skipped: 1 } };
  const parts: PolicyDocument['parts'] = { ...base.parts };
  const metrics: Record<string, number> = { sequences: 0 };
  await eachUpdate(deps, input, attempt, async ({ layout, part, request, gaps }) => {
    metrics.sequences! += request.sequences.length;
    const newVersion = engineVersionInTheMaking(runId, version, part, attempt.name);
    const control = { signal: attempt.signal, onProgress: attempt.progress };
    const making = { runId, version, decoder: base.decoder, lora: base.lora };
    const made = await inTheMaking(deps.engine, newVersion, async () => {
      const updated = await deps.engine.update({ ...request, newVersion }, control);
      const record = await storePart(deps.store, making, { part, ...updated }, base.parts[part]!.base);
      await deps.policies.adopt(updated.version, base, record);
      return { record, metrics: updated.metrics };
    });
    parts[part] = made.record;
    Object.assign(metrics, flatMetrics({ ...made.metrics, ...gaps }, part, layout === 'split'));
  });
  return { ...made, parts, metrics };
}

/** What the engine is asked for to change one part of the policy; the same for all who compute it. */
export interface PartUpdate {
  layout: Recipe['policy']['layout'];
  part: PolicyPart;
  request: Omit<UpdateRequest, 'newVersion'>;
  /** Between sampled and recomputed log-probs, where they are recomputed. */
  gaps: Record<string, number>;
}

/**
 * Calls `work` for each part that changes, one after another, its policy resident meanwhile. A part in whose groups there is
 * nothing to compare is left out: the version advances with the same weights.
 */
export async function eachUpdate(
  deps: TrainDeps,
  input: UpdatePolicyInput,
  attempt: Attempt,
  work: (update: PartUpdate) => Promise<void>,
): Promise<void> {
  const { runId, batchId, learner, baseVersion } = input;
  const { recipe } = await deps.runs.run(input);
  const { layout } = recipe.policy;
  for (const [part, roles] of learningParts(recipe, rolesOf(learner))) {
    const sequences = await readSequences(deps, recipe, batchId, roles);
    if (sequences.length === 0) continue;
    const use = { runId, version: baseVersion, role: roles[0]!, layout };
    await deps.policies.with(use, async (policy) => {
      const learning = { recipe, runId, batchId, policy, role: roles[0]!, sequences };
      const prepared = await prepare(deps, { ...learning, rateFactor: input.rateFactor ?? 1 }, attempt.signal);
      await work({ layout, part, ...prepared });
    });
  }
}

/** Parts that change, each with the roles whose trajectories change it. */
function learningParts(recipe: Recipe, roles: readonly Role[]): Map<PolicyPart, Role[]> {
  const parts = new Map<PolicyPart, Role[]>();
  for (const role of roles) {
    const part = partOf(recipe.policy.layout, role);
    parts.set(part, [...(parts.get(part) ?? []), role]);
  }
  return parts;
}

async function readSequences(
  deps: TrainDeps,
  recipe: Recipe,
  batchId: string,
  roles: readonly Role[],
): Promise<StoredSequence[]> {
  const { dropZeroAdvantage } = recipe.update;
  const lists = await Promise.all(
    roles.map((role) => readTrainingSequences(deps.store, { batchId, role, dropZeroAdvantage })),
  );
  return lists.flat();
}

interface Learning {
  recipe: Recipe;
  runId: string;
  batchId: string;
  policy: ResidentPolicy;
  role: Role;
  sequences: StoredSequence[];
  /** By which the recipe's learning rate is multiplied. */
  rateFactor: number;
}

async function prepare(
  deps: TrainDeps,
  learning: Learning,
  signal: AbortSignal,
): Promise<Pick<PartUpdate, 'request' | 'gaps'>> {
  const { recipe, runId, batchId, policy, sequences } = learning;
  const {
    oldLogProbs: _chosen,
    learningRate,
    dropZeroAdvantage: _dropped,
    klReference: _reference,
    ...update
  } = recipe.update;
  const gaps = isRecomputed(recipe, sequences)
    ? await recomputeOldLogProbs(
        deps.engine,
        { version: policy.engineVersion, precision: update.precision },
        sequences,
        signal,
      )
    : {};
  await addReferenceLogProbs(deps, learning, sequences, signal);
  const settings = {
    ...update,
    logProbGapLimit: logProbGapLimitOf(recipe.update),
    learningRate: learningRate * learning.rateFactor,
    orderKey: `${recipe.seed}/update/${batchId.slice(runId.length + 1)}`,
  };
  return { request: { baseVersion: policy.engineVersion, sequences, settings }, gaps };
}

function flatMetrics(
  { lossByStep: _byStep, ...numbers }: TrainResult['metrics'],
  part: PolicyPart,
  prefixed: boolean,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [
      prefixed ? `${part}${name[0]!.toUpperCase()}${name.slice(1)}` : name,
      value,
    ]),
  );
}
