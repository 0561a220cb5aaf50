/** The questions behind a batch, by their ids: from the dataset that the batch drew from. */
import type { Question } from '../../shared/domain/question.ts';
import type { InspectContext } from './inspection.ts';
import type { BatchTarget } from './target.ts';

/** Questions by id; those that the dataset does not hold are missing. */
export async function readTexts(
  context: Pick<InspectContext, 'store' | 'run'>,
  target: BatchTarget,
  ids: readonly string[],
): Promise<Map<string, Question>> {
  const { store } = context;
  const digest = await datasetOf(context, target);
  if (digest === null) return new Map();
  const found = await store.questions.find({ digest, 'question.id': { $in: [...ids] } }).toArray();
  return new Map(found.map(({ question }) => [question.id, question]));
}

export async function readQuestion(
  context: Pick<InspectContext, 'store' | 'run'>,
  target: BatchTarget,
  id: string,
): Promise<Question | null> {
  return (await readTexts(context, target, [id])).get(id) ?? null;
}

async function datasetOf(
  { store, run }: Pick<InspectContext, 'store' | 'run'>,
  { batch, batchId }: BatchTarget,
): Promise<string | null> {
  if (batch.kind === 'iteration') return run.datasets.train.digest;
  if (batch.kind === 'evaluation') {
    const record = await store.evaluations.findOne({ _id: batchId }, { projection: { dataset: 1 } });
    return record?.dataset.digest ?? run.datasets.heldOut.digest;
  }
  // A solved question's dataset is named in its batch: solve-DIGEST-N.
  const start = /^([0-9a-f]{12})-/.exec(batch.name)?.[1];
  if (start === undefined) return null;
  const found = await store.datasets.findOne({ _id: { $regex: `^${start}` } }, { projection: { _id: 1 } });
  return found?._id ?? null;
}
