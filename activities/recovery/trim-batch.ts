/** Takes out of a batch what hangs in the air and leaves the rest: what was paid for once need not be paid for again. */
import { designIdOf } from '../../shared/domain/ids.ts';
import type { Store } from '../store/connect.ts';
import { removeAll } from '../store/remove.ts';
import { looseEndOf } from './batch-wholeness.ts';
import { callFields, executionFields, lostCalls } from './lost-calls.ts';

/** What was missing, in words; null: nothing, and nothing was taken out. */
export async function trimBatch(store: Store, batchId: string): Promise<string | null> {
  const missing = await looseEndOf(store, batchId);
  if (missing === null) return null;
  // Leaves first: what a worker adds meanwhile is not taken for a leaf without its branch.
  const verdicts = await store.verdicts.find({ batchId }, { projection: { _id: 1 } }).toArray();
  const executions = await store.executions.find({ batchId }, { projection: executionFields }).toArray();
  const calls = await store.calls.find({ batchId }, { projection: callFields }).toArray();
  const designs = await store.designs.find({ batchId }, { projection: { _id: 1 } }).toArray();
  const designIds = new Set(designs.map(({ _id }) => _id));
  const lost = lostCalls(executions, calls);
  const isBroken = ({ _id, designId }: (typeof executions)[number]) => !designIds.has(designId) || lost.has(_id);
  const broken = new Set(executions.filter(isBroken).map(({ _id }) => _id));
  const whole = new Set(executions.map(({ _id }) => _id).filter((id) => !broken.has(id)));
  const stray = calls.filter(({ executionId }) => broken.has(executionId) || !designIds.has(designIdOf(executionId)));
  // Leaves before branches.
  await removeAll(store.verdicts, idsOf(verdicts.filter(({ _id }) => !whole.has(_id))));
  await removeAll(store.executions, [...broken]);
  await removeAll(store.calls, idsOf(stray));
  return missing;
}

const idsOf = (list: readonly { _id: string }[]) => list.map(({ _id }) => _id);
