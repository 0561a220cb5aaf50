/**
 * One execution's stored journal. A journal that no longer fits its script is set aside, not lost, and the script starts
 * again from scratch, once: whether it has is told by what was set aside, so no crash grants a second time.
 *
 * Records of the second start carry a mark in `attempt`; those that are set aside get an execution id of their own, which
 * no credit and no re-run reads.
 */
import { callId } from '../../shared/domain/ids.ts';
import type { JournalRecord } from '../runtime/script/contract.ts';
import type { CallDocument } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';
import { insertAllOnce } from '../store/write.ts';

export interface StoredJournal {
  records: JournalRecord[];
  /** True: an earlier journal of this execution has been set aside. */
  isSecond: boolean;
}

const mark = '+afresh';
const asideOf = (executionId: string) => `${executionId}/aside`;

/** The name under which a second start stores its calls. */
export const afresh = (attempt: string) => `${attempt}${mark}`;

/** Of executions that have never been started. */
export const noJournals = async (): Promise<StoredJournal> => ({ records: [], isSecond: false });

/** Journals of several executions, by execution id, in one read. */
export async function readJournals(
  store: Store,
  executionIds: readonly string[],
): Promise<(executionId: string) => Promise<StoredJournal>> {
  const ids = executionIds.flatMap((id) => [id, asideOf(id)]);
  const calls = await store.calls.find({ executionId: { $in: ids } }).toArray();
  return (executionId) =>
    journalOf(
      store,
      executionId,
      calls.filter((call) => call.executionId === executionId),
      calls.some((call) => call.executionId === asideOf(executionId)),
    );
}

async function journalOf(
  store: Store,
  executionId: string,
  stored: readonly CallDocument[],
  hasAside: boolean,
): Promise<StoredJournal> {
  if (!hasAside) return { records: stored.map(recordOf), isSecond: false };
  const old = stored.filter(({ attempt }) => !attempt.endsWith(mark));
  // A crash in the middle of setting aside.
  if (old.length > 0) await setAside(store, executionId, old);
  return { records: stored.filter((call) => !old.includes(call)).map(recordOf), isSecond: true };
}

/** Copies first, then removes: at no time is a record in neither place. */
export async function setAside(store: Store, executionId: string, known?: readonly CallDocument[]): Promise<void> {
  const calls = known ?? (await store.calls.find({ executionId }).toArray());
  const aside = asideOf(executionId);
  await insertAllOnce(
    store.calls,
    calls.map((call) => ({ ...call, _id: callId(aside, call.call), executionId: aside })),
  );
  await store.calls.deleteMany({ _id: { $in: calls.map(({ _id }) => _id) } });
}

/** The record that a stored call stands for. */
const recordOf = ({ call, hash, kind, nodePath, agentName, answer }: CallDocument): JournalRecord => ({
  call,
  hash,
  kind,
  nodePath,
  agentName,
  answer,
});
