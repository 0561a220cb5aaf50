/**
 * Searches and evaluations before they go on: where the store has lost writes of one, what hangs in the air is taken out
 * and it is done again from there, as `resume` does with a run. What a workflow is at work on is left to it.
 */
import { looseEndOf, whatAnEvaluationLacks } from '../../activities/recovery/batch-wholeness.ts';
import { removeBatch } from '../../activities/recovery/roll-back.ts';
import { rollBackSearch, surveySearch } from '../../activities/recovery/survey-search.ts';
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

/** True where a finished evaluation is whole; one that is not is forgotten, to be measured again under the same id. */
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
  await removeBatch(store, _id);
  return false;
}

/** What is there of an evaluation that has not ended stays where it hangs together. */
export async function restoreEvaluation(cli: Cli, { store, client }: Servers, id: string): Promise<void> {
  if ((await workflowStatus(client, id)) === 'RUNNING') return;
  const looseEnd = await looseEndOf(store, id);
  if (looseEnd === null) return;
  cli.log(`${id}: the store had lost ${looseEnd}: starting it anew`);
  await removeBatch(store, id);
}
