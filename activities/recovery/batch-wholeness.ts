/**
 * Whether the documents of a batch hang together: counts only, by index, so that a whole run is looked through in seconds.
 * A store that lost its newest writes may have lost some collections' and not others'.
 */
import { designIdOf } from '../../shared/domain/ids.ts';
import { callFields, executionFields, lostCalls, shownCalls } from './lost-calls.ts';
import type { Store } from '../store/connect.ts';
import type { EvaluationDocument } from '../store/documents.ts';

export interface BatchShape {
  questions: number;
  /** Designs a question, executions a valid design. */
  designs: number;
  executions: number;
  /** Credits are part of it. */
  isTraining: boolean;
}

interface Counts {
  designs: number;
  valid: number;
  executions: number;
  verdicts: number;
  credits: number;
  /** Calls that finished executions were shown, and those of them that the journal does not have. */
  shownCalls: number;
  lostCalls: number;
  /** Documents that hang on one which is not there. */
  strays: number;
}

/** Null where everything that a recorded batch of this shape has is there, else what is missing. */
export async function whatIsMissing(store: Store, batchId: string, shape: BatchShape): Promise<string | null> {
  const seen = await count(store, batchId);
  const designs = shape.questions * shape.designs;
  const executions = seen.valid * shape.executions;
  const credits = shape.isTraining ? designs + executions : 0;
  if (seen.designs < designs) return `${designs - seen.designs} of ${designs} designs`;
  if (seen.executions < executions) return `${executions - seen.executions} of ${executions} executions`;
  if (seen.verdicts < executions) return `${executions - seen.verdicts} of ${executions} verdicts`;
  if (seen.credits < credits) return `${credits - seen.credits} of ${credits} credits`;
  return looseEnd(seen);
}

/** The same of a recorded evaluation. */
export function whatAnEvaluationLacks(
  store: Store,
  { _id, samples, questions }: Pick<EvaluationDocument, '_id' | 'samples' | 'questions'>,
): Promise<string | null> {
  return whatIsMissing(store, _id, { questions, designs: samples, executions: 1, isTraining: false });
}

/** Null where what is there of an open batch hangs together, so that the rest can be added to it. */
export async function looseEndOf(store: Store, batchId: string): Promise<string | null> {
  return looseEnd(await count(store, batchId));
}

/** Whether anything is there of a batch. */
export async function hasDocuments(store: Store, batchId: string): Promise<boolean> {
  const asked = [{ batchId }, { projection: { _id: 1 } }] as const;
  return (
    (await store.designs.findOne(...asked)) !== null ||
    (await store.calls.findOne(...asked)) !== null ||
    (await store.executions.findOne(...asked)) !== null ||
    (await store.verdicts.findOne(...asked)) !== null ||
    (await store.credits.findOne(...asked)) !== null
  );
}

function looseEnd({ shownCalls, lostCalls, strays }: Counts): string | null {
  if (lostCalls > 0) return `${lostCalls} of ${shownCalls} calls`;
  return strays > 0 ? `what ${strays} documents belong to` : null;
}

/** Reads what hangs before what it hangs on: a worker that still writes is not taken for a loss. */
async function count(store: Store, batchId: string): Promise<Counts> {
  const credits = await store.credits.find({ batchId }, { projection: { _id: 1 } }).toArray();
  const verdicts = await store.verdicts.find({ batchId }, { projection: { _id: 1 } }).toArray();
  const executions = await store.executions.find({ batchId }, { projection: executionFields }).toArray();
  const calls = await store.calls.find({ batchId }, { projection: callFields }).toArray();
  const designs = await store.designs.find({ batchId }, { projection: { outcome: 1 } }).toArray();
  const designIds = new Set(designs.map(({ _id }) => _id));
  const executionIds = new Set(executions.map(({ _id }) => _id));
  const strays =
    calls.filter(({ executionId }) => !designIds.has(designIdOf(executionId))).length +
    executions.filter(({ designId }) => !designIds.has(designId)).length +
    verdicts.filter(({ _id }) => !executionIds.has(_id)).length +
    credits.filter(({ _id }) => !executionIds.has(_id) && !designIds.has(_id)).length;
  return {
    designs: designs.length,
    valid: designs.filter(({ outcome }) => outcome === 'valid').length,
    executions: executions.length,
    verdicts: verdicts.length,
    credits: credits.length,
    shownCalls: executions.reduce((sum, execution) => sum + shownCalls(execution).length, 0),
    lostCalls: [...lostCalls(executions, calls).values()].reduce((sum, count) => sum + count, 0),
    strays,
  };
}
