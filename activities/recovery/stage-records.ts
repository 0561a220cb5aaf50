/**
 * The records of a run's stages, made again from where the run stands. Its workflow writes one as a stage begins and as it
 * ends: a workflow that was cut off between has not said the end, a store that lost writes may have lost the beginning, and a
 * stage of which nothing is done may have become another one.
 */
import { stageId } from '../../shared/domain/ids.ts';
import type { RunPosition } from '../../shared/domain/plan.ts';
import type { Store } from '../store/connect.ts';
import type { RunDocument } from '../store/documents.ts';
import { insertOnce } from '../store/write.ts';

/** Stages of which nothing is done have no record: the workflow begins them. Nothing may run that writes to the run. */
export async function mendStages(
  store: Store,
  { _id: runId, plan }: Pick<RunDocument, '_id' | 'plan'>,
  from: RunPosition | null,
): Promise<void> {
  const begun: string[] = [];
  const done = plan.stages.map((_, index) => from?.iterations[index] ?? 0);
  // Each iteration makes one version.
  let version = (from?.policyVersion ?? 0) - done.reduce((sum, count) => sum + count, 0);
  for (const [index, { stage, learner, iterations }] of plan.stages.entries()) {
    const count = done[index]!;
    if (count === 0) continue;
    const [policyIn, newest] = [version, version + count];
    const record = { runId, stage, learner, iterations, policyIn, policyOut: count === iterations ? newest : null };
    const _id = stageId(runId, stage);
    if (!(await insertOnce(store.stages, { _id, ...record }))) await store.stages.updateOne({ _id }, { $set: record });
    begun.push(_id);
    version = newest;
  }
  await store.stages.deleteMany({ runId, _id: { $nin: begun } });
}
