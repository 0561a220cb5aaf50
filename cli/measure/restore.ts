/**
 * Searches, evaluations and collections before they go on: where the store has lost writes of one, what hangs in the air is taken out
 * and it is done again from there, as `resume` does with a run. What a workflow is at work on is left to it.
 */
import { whatAnEvaluationLacks } from '../../activities/recovery/batch-wholeness.ts';
import { rollBackSearch, surveySearch } from '../../activities/recovery/survey-search.ts';
import { trimBatch } from '../../activities/recovery/trim-batch.ts';
import type { EvaluationDocument } from '../../activities/store/documents.ts';
import { readSearch } from '../../activities/systems/read-search.ts';
import type { Cli } from '../command.ts';
import { untilChildrenEnd } from '../lost-writes.ts';
import type { Session } from '../session.ts';
import { workflowStatus } from '../workflow-status.ts';

type Servers = Pick<Session, 'store' | 'client'>;

/** Also of a search that has ended: its system goes with what it was found by. */
export async function restoreSearch(cli: Cli, { store, client }: Servers, searchId: string): Promise<void> {
  if ((await workflowStatus(client, searchId)) === 'RUNNING') return;
  await untilChildrenEnd(client, searchId);
  const search = await readSearch(store, searchId);
  const survey = await surveySearch(store, search);
  const { rounds, loss } = survey;
  if (loss === null) return;
  cli.log(`search ${searchId}: the store had lost ${loss}: going on after ${rounds} rounds`);
  await store.searches.updateOne({ _id: searchId }, { $push: { rollbacks: { at: new Date(), rounds, loss } } });
  await rollBackSearch(store, search, survey);
}

/** True where a finished evaluation is whole; one that is not is forgotten, to be recorded again under the same id. */
export async function isWholeEvaluation(
  cli: Cli,
  { store }: Servers,
  evaluation: EvaluationDocument,
): Promise<boolean> {
  const { _id } = evaluation;
  const missing = await whatAnEvaluationLacks(store, evaluation);
  if (missing === null) return true;
  cli.log(`${_id}: the store had lost ${missing}: measuring it again`);
  await store.evaluations.deleteOne({ _id });
  return false;
}

/** What is there of a batch of answers and hangs together stays, and is not asked for again. */
export async function restoreAnswers(cli: Cli, { store, client }: Servers, batchId: string): Promise<void> {
  if ((await workflowStatus(client, batchId)) === 'RUNNING') return;
  const missing = await trimBatch(store, batchId);
  if (missing !== null) cli.log(`${batchId}: the store had lost ${missing}: answering what hung on it again`);
}
