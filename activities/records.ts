/** Store housekeeping of runs, stages and iterations: what resume and reports read. */
import { DomainError } from '../shared/errors.ts';
import { stageId } from '../shared/domain/ids.ts';
import type {
  RecordDecisionInput,
  RecordIterationInput,
  RecordRunInput,
  RecordStageInput,
} from '../shared/domain/tasks.ts';
import { readBatchFacts } from './batch-facts.ts';
import { crashPoint } from './crash-point.ts';
import { pruneBlobs } from './prune-blobs.ts';
import type { RunContexts } from './run-context.ts';
import type { Store } from './store/connect.ts';
import { insertOnce } from './store/write.ts';

interface RecordDeps {
  store: Store;
  runs: RunContexts;
}

export async function recordRun({ store }: RecordDeps, { runId, status, failure }: RecordRunInput): Promise<void> {
  const ended = status !== 'running';
  const change = ended
    ? { $set: { status, finishedAt: new Date(), ...(failure === undefined ? {} : { failure }) } }
    : { $set: { status }, $unset: { finishedAt: 1 as const, failure: 1 as const } };
  const { matchedCount } = await store.runs.updateOne({ _id: runId }, change);
  if (matchedCount === 0) throw new DomainError('RunNotFound', `run '${runId}' is not in the store`, { runId });
}

export async function recordDecision({ store }: RecordDeps, input: RecordDecisionInput): Promise<void> {
  const { runId, ...decision } = input;
  const isNew = { _id: runId, 'decisions.id': { $ne: input.id } };
  await store.runs.updateOne(isNew, { $push: { decisions: { ...decision, at: new Date() } } });
}

export async function recordStage({ store }: RecordDeps, input: RecordStageInput): Promise<void> {
  const id = stageId(input.runId, input.stage);
  const inserted = await insertOnce(store.stages, { ...input, _id: id });
  if (!inserted && input.policyOut !== null) {
    await store.stages.updateOne({ _id: id }, { $set: { policyOut: input.policyOut } });
  }
}

/** Also prunes what retention allows: an iteration's end is when older versions stop being needed. */
export async function recordIteration({ store, runs }: RecordDeps, input: RecordIterationInput): Promise<void> {
  const { batchId, questionIndices, startedAtMs, rolledOutAtMs, revision: _revision, ...rest } = input;
  const [{ recipe, datasets }, counted] = await Promise.all([runs.run(input), readBatchFacts(store, batchId)]);
  const facts = { ...counted, startedAt: new Date(startedAtMs), rolloutMs: rolledOutAtMs - startedAtMs };
  const questions = questionIndices.map((index) => `${datasets.train.digest}/${index}`);
  await insertOnce(store.iterations, { ...rest, _id: batchId, questions, facts });
  crashPoint('iteration-recorded');
  await pruneBlobs(store, input.runId, input.policyOut, recipe.retention);
}
