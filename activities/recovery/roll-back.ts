/**
 * Takes out of the store what a survey found to be beyond the whole part of a run. Records go before what they vouch for,
 * newest first, so a rollback that is cut off leaves a run whose next survey finds no more than this one.
 */
import { stageId } from '../../shared/domain/ids.ts';
import type { Store } from '../store/connect.ts';
import type { Survey } from './survey.ts';

export async function rollBack(store: Store, runId: string, survey: Survey): Promise<void> {
  const { position, iterations, versionsFrom, evaluations } = survey;
  for (const _id of evaluations) {
    await store.evaluations.deleteOne({ _id });
    await removeBatch(store, _id);
  }
  if (versionsFrom === null) return;
  for (const _id of iterations) {
    await store.iterations.deleteOne({ _id });
    await removeStage(store, _id);
  }
  await store.policies.deleteMany({ runId, version: { $gte: versionsFrom } });
  for (const batchId of iterations) await removeBatch(store, batchId);
  if (position === null) await store.stages.deleteMany({ runId });
}

/** A stage that is not done has no version at its end. */
async function removeStage(store: Store, iteration: string): Promise<void> {
  const [, runId, stage] = /^(.+)\/stage-(\d+)\/iter-\d+$/.exec(iteration)!;
  await store.stages.updateOne({ _id: stageId(runId!, Number(stage)) }, { $set: { policyOut: null } });
}

/** Leaves before branches: what is left hangs together at every moment. */
export async function removeBatch(store: Store, batchId: string): Promise<void> {
  await store.credits.deleteMany({ batchId });
  await store.verdicts.deleteMany({ batchId });
  await store.executions.deleteMany({ batchId });
  await store.calls.deleteMany({ batchId });
  await store.designs.deleteMany({ batchId });
}
