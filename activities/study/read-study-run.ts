/** Whether a study's run has ended, and what its workflow needs to go on; what it is about to measure stays meanwhile. */
import { systemIdOfSearch } from '../../shared/domain/ids.ts';
import type { ReadStudyRunInput, StudyRunState } from '../../shared/domain/study-plan.ts';
import { pinVersion } from '../policy/pins.ts';
import { revisionOf } from '../recipe-revision.ts';
import type { RunContexts } from '../run-context.ts';
import { readRun } from '../run-context.ts';
import { positionOf } from '../run-position.ts';
import type { Store } from '../store/connect.ts';

export async function readStudyRun(
  { store }: { store: Store; runs: RunContexts },
  { runId, measuring }: ReadStudyRunInput,
): Promise<StudyRunState> {
  // Read afresh: the status changes.
  const [run, from] = await Promise.all([readRun(store, runId), positionOf(store, runId)]);
  if (measuring !== undefined && from !== null && !(measuring.name in from.evaluations)) {
    const { pin, search } = measuring;
    await pinVersion(store, run, from.policyVersion, pin);
    if (search !== null && !(await hasEnded(store, search.searchId)))
      await pinVersion(store, run, search.policyVersion, pin);
  }
  const { digest, name } = run.datasets.train;
  const plan = { ...run.plan, revision: revisionOf(run) };
  return { ended: run.status === 'finished', dataset: { digest, name }, plan, from, evaluation: plan.evaluation };
}

const hasEnded = async (store: Store, searchId: string) =>
  (await store.systems.findOne({ _id: systemIdOfSearch(searchId) }, { projection: { _id: 1 } })) !== null;
