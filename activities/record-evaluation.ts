/** avg@k from stored verdicts: mean over questions of the share of correct samples; an invalid design counts as wrong. */
import { rolloutId } from '../shared/domain/ids.ts';
import type { RecordEvaluationInput, RecordEvaluationResult } from '../shared/domain/tasks.ts';
import { DomainError } from '../shared/errors.ts';
import type { RunContexts } from './run-context.ts';
import type { Store } from './store/connect.ts';
import type { DatasetReference } from './store/documents.ts';
import { insertOnce } from './store/write.ts';

export async function recordEvaluation(
  { store, runs }: { store: Store; runs: RunContexts },
  input: RecordEvaluationInput,
): Promise<RecordEvaluationResult> {
  const { runId, batchId, name, policyVersion, samples, questions } = input;
  const digest = input.dataset ?? (await runs.run(runId)).datasets.heldOut.digest;
  const [dataset, verdicts, designs, executions] = await Promise.all([
    referenceTo(store, digest),
    store.verdicts.find({ batchId }).toArray(),
    store.designs.find({ batchId }, { projection: { outcome: 1 } }).toArray(),
    store.executions.find({ batchId }, { projection: { usage: 1 } }).toArray(),
  ]);
  const asked = await store.questions
    .find({ digest, index: { $lt: questions } })
    .sort({ index: 1 })
    .toArray();
  const perQuestion = asked.map(({ question, index }) => {
    const own = verdicts.filter((verdict) => verdict.rolloutId === rolloutId(batchId, index));
    return {
      question: question.id,
      kind: question.kind,
      correct: own.filter((verdict) => verdict.verdict?.correct === true).length,
    };
  });
  const average = perQuestion.reduce((sum, { correct }) => sum + correct / samples, 0) / perQuestion.length;
  const total = (pick: (usage: { calls: number; responseTokens: number }) => number) =>
    executions.reduce((sum, { usage }) => sum + pick(usage), 0);
  const metrics = {
    average,
    validDesigns: designs.filter(({ outcome }) => outcome === 'valid').length / designs.length,
    callsPerQuestion: total((usage) => usage.calls) / perQuestion.length,
    responseTokensPerQuestion: total((usage) => usage.responseTokens) / perQuestion.length,
  };
  await insertOnce(store.evaluations, {
    _id: batchId,
    runId,
    name,
    policyVersion,
    dataset,
    samples,
    questions,
    metrics,
    perQuestion,
  });
  return { average, metrics };
}

/** Throws `RecordConflict` where the dataset is not in the store. */
async function referenceTo(store: Store, digest: string): Promise<DatasetReference> {
  const found = await store.datasets.findOne({ _id: digest });
  if (found === null) throw new DomainError('RecordConflict', `dataset ${digest} is not in the store`, { digest });
  return { digest, name: found.name, count: found.count };
}
