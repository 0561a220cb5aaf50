/** Whether a study's run has ended, and what its workflow needs to go on. */
import type { StudyRunState } from '../../shared/domain/study-plan.ts';
import { revisionOf } from '../recipe-revision.ts';
import type { RunContexts } from '../run-context.ts';
import { readRun } from '../run-context.ts';
import { positionOf } from '../run-position.ts';
import type { Store } from '../store/connect.ts';

export async function readStudyRun(
  { store }: { store: Store; runs: RunContexts },
  { runId }: { runId: string },
): Promise<StudyRunState> {
  // Read afresh: the status changes.
  const [run, from] = await Promise.all([readRun(store, runId), positionOf(store, runId)]);
  const { digest, name } = run.datasets.train;
  const plan = { ...run.plan, revision: revisionOf(run) };
  return { ended: run.status === 'finished', dataset: { digest, name }, plan, from, evaluation: plan.evaluation };
}
