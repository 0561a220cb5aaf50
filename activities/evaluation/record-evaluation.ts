/** An evaluation's result from stored verdicts: scores with intervals, costs, one row a question. */
import type { RecordEvaluationInput, RecordEvaluationResult } from '../../shared/domain/tasks.ts';
import { DomainError } from '../../shared/errors.ts';
import { summarise } from '../../shared/evaluation/summary.ts';
import { answersEqual } from '../../shared/verify/math.ts';
import { crashPoint } from '../crash-point.ts';
import { unpin } from '../policy/pins.ts';
import type { RunContexts } from '../run-context.ts';
import type { Store } from '../store/connect.ts';
import type { DatasetReference } from '../store/documents.ts';
import { insertOnce } from '../store/write.ts';
import { readEvaluationRecords, samplesOf } from './read-samples.ts';

/** Names the resamples of an evaluation's intervals: independent of the run's name. */
export const intervalKey = (runId: string, batchId: string) => `intervals/${batchId.slice(runId.length + 1)}`;

export async function recordEvaluation(
  { store, runs }: { store: Store; runs: RunContexts },
  input: RecordEvaluationInput,
): Promise<RecordEvaluationResult> {
  const { runId, batchId, name, policyVersion, samples, questions } = input;
  const digest = input.dataset ?? (await runs.run(input)).datasets.heldOut.digest;
  const query = { batchId, dataset: digest, samples, questions };
  const { system, budget } = await runs.system(input);
  const [dataset, records, verdicts] = await Promise.all([
    referenceTo(store, digest),
    readEvaluationRecords(store, query),
    store.verdicts.find({ batchId }).toArray(),
  ]);
  const judged = new Map(verdicts.map(({ _id, verdict }) => [_id, verdict]));
  const missing = [...records.executions.keys()].filter((id) => !judged.has(id));
  if (missing.length > 0) {
    throw new DomainError('RecordConflict', `${missing[0]} has no verdict`, { missing });
  }
  const summary = summarise(samplesOf(records, query, judged), answersEqual, intervalKey(runId, batchId));
  await insertOnce(store.evaluations, {
    _id: batchId,
    runId,
    name,
    system,
    budget,
    policyVersion,
    dataset,
    samples,
    questions,
    ...summary,
  });
  crashPoint('evaluation-recorded');
  await unpin(store, runId, batchId);
  return { average: summary.metrics.average, metrics: summary.metrics };
}

/** Throws `RecordConflict` where the dataset is not in the store. */
async function referenceTo(store: Store, digest: string): Promise<DatasetReference> {
  const found = await store.datasets.findOne({ _id: digest });
  if (found === null) throw new DomainError('RecordConflict', `dataset ${digest} is not in the store`, { digest });
  return { digest, name: found.name, count: found.count };
}
