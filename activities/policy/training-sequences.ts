/**
 * The trajectories that an update learns from: those of the learning role with their advantages, in an order that depends
 * on ids only (never on when calls completed), so that a repeated run sums the same numbers in the same order.
 */
import type { Role } from '../../shared/domain/role.ts';
import type { SamplingSettings } from '../../shared/domain/sampling.ts';
import { DomainError } from '../../shared/errors.ts';
import type { TrainingSequence } from '../runtime/engine/contract.ts';
import type { CallDocument, CreditDocument, TrajectoryFields } from '../store/documents.ts';
import { unpackFloats, unpackInts } from '../store/packed.ts';
import type { Store } from '../store/connect.ts';

export interface SequenceQuery {
  batchId: string;
  role: Role;
  dropZeroAdvantage: boolean;
}

/** What was sampled, to be learned from. */
export interface StoredSequence extends TrainingSequence {
  /** With what; another recipe may be in force by now. */
  sampling: SamplingSettings;
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Throws `RecordConflict` where a credit has no trajectory. */
export async function readTrainingSequences(store: Store, query: SequenceQuery): Promise<StoredSequence[]> {
  const { batchId, role, dropZeroAdvantage } = query;
  const credits = (await store.credits.find({ batchId, role }).toArray())
    .filter(({ advantage }) => !dropZeroAdvantage || advantage !== 0)
    .sort((a, b) => byText(a._id, b._id));
  return role === 'designer' ? designerSequences(store, batchId, credits) : executorSequences(store, batchId, credits);
}

async function designerSequences(store: Store, batchId: string, credits: CreditDocument[]): Promise<StoredSequence[]> {
  const designs = new Map((await store.designs.find({ batchId }).toArray()).map((design) => [design._id, design]));
  return credits.map(({ _id, advantage }) => {
    const design = designs.get(_id);
    if (design === undefined) throw new DomainError('RecordConflict', `credit ${_id} has no design`, { id: _id });
    return sequenceOf(_id, design, advantage);
  });
}

/** Every model call of an execution carries the execution's advantage. */
async function executorSequences(store: Store, batchId: string, credits: CreditDocument[]): Promise<StoredSequence[]> {
  // A prompt that was too long was never sampled from: it ended its execution and holds no tokens.
  const sampled = { batchId, kind: 'model', 'answer.status': { $ne: 'prompt-too-long' } } as const;
  const calls = groupBy(await store.calls.find(sampled).toArray(), ({ executionId }) => executionId);
  return credits.flatMap(({ _id, advantage }) =>
    (calls.get(_id) ?? [])
      .sort((a, b) => byText(a.seedKey ?? '', b.seedKey ?? ''))
      .map((call) => sequenceOf(call.seedKey ?? call._id, call, advantage)),
  );
}

function sequenceOf(
  id: string,
  trajectory: Partial<TrajectoryFields> | CallDocument,
  advantage: number,
): StoredSequence {
  const { promptIds, tokenIds, logProbs, sampling } = trajectory;
  if (promptIds === undefined || tokenIds === undefined || logProbs === undefined || sampling === undefined) {
    throw new DomainError('RecordConflict', `${id} holds no sampled tokens`, { id });
  }
  return {
    id,
    promptIds: unpackInts(promptIds),
    responseIds: unpackInts(tokenIds),
    oldLogProbs: unpackFloats(logProbs),
    advantage,
    sampling,
  };
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
