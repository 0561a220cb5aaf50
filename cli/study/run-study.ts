/** Stores a study with all its runs, starts or goes on with its workflow, waits, and gives the result. */
import type { StudyDocument } from '../../activities/store/documents.ts';
import type { Store } from '../../activities/store/connect.ts';
import { insertOnce } from '../../activities/store/write.ts';
import { readRun } from '../../activities/run-context.ts';
import { evaluationId, studyWorkflowId } from '../../shared/domain/ids.ts';
import type { StudyCellPlan, StudyPlan } from '../../shared/domain/study-plan.ts';
import { DomainError } from '../../shared/errors.ts';
import type { study as studyWorkflow } from '../../workflows/study.ts';
import type { Cli } from '../command.ts';
import { searchedReference, storeSystem } from '../measure/answering-system.ts';
import { awaitWorkflow } from '../measure/await-workflow.ts';
import { restoreAnswers, restoreSearch } from '../measure/restore.ts';
import { storeSearch } from '../measure/search.ts';
import { sayPages } from '../pages.ts';
import type { Session } from '../session.ts';
import { createRun } from '../start-run.ts';
import type { PreparedCell, PreparedStudy } from './prepare-study.ts';
import { restoreRuns } from './restore-runs.ts';

/**
 * Goes on with what is there of it. Throws `InvalidInput` where a study of the same name is another one;
 * `CheckpointCorrupt` and `CheckpointMissing` where weights of a run have to be repaired first.
 */
export async function startStudy(cli: Cli, session: Session, prepared: PreparedStudy): Promise<void> {
  const { store, client, config } = session;
  const { study, bases, runs } = prepared;
  const studyId = study.name;
  const standing = await store.studies.findOne({ _id: studyId });
  if (standing !== null && JSON.stringify(standing.study) !== JSON.stringify(study)) {
    throw new DomainError(
      'InvalidInput',
      `study '${studyId}' is in the store with other settings: give this one another name, or see it with: npx metaagentx study show ${studyId}`,
      { studyId },
    );
  }
  if (standing?.status === 'finished') return;
  const workflowId = studyWorkflowId(studyId);
  for (const run of [...bases, ...runs]) await createRun(store, { ...run, config });
  const runIds = [...bases, ...runs].map(({ runId }) => runId);
  if ((await restoreRuns(cli, session, workflowId, runIds)) === 'running') return;
  const plan: StudyPlan = {
    studyId,
    queues: config.queues,
    activities: config.activities,
    bases: bases.map(({ runId }) => runId),
    cells: await Promise.all(prepared.cells.map((cell) => planOfCell(session, cell))),
    concurrentRuns: study.concurrentRuns,
  };
  await restoreMeasurements(cli, session, plan);
  await insertOnce(store.studies, { _id: studyId, study, plan, status: 'running', cells: [] });
  await client.workflow.start<typeof studyWorkflow>('study', {
    workflowId,
    taskQueue: config.queues.control,
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [standing?.plan ?? plan],
    staticSummary: `${prepared.cells.length} cells, ${study.seeds.length} seeds`,
    staticDetails: study.description,
  });
}

async function restoreMeasurements(cli: Cli, session: Session, { cells }: StudyPlan): Promise<void> {
  for (const { runId, measurement } of cells) {
    if (measurement === null) continue;
    if (measurement.search !== null) await restoreSearch(cli, session, measurement.search.searchId);
    await restoreAnswers(cli, session, evaluationId(runId, measurement.name));
  }
}

async function planOfCell({ store, config }: Session, cell: PreparedCell): Promise<StudyCellPlan> {
  const { variant, seed, runId, measured } = cell;
  if (measured === null) return { variant, seed, system: cell.system, runId, measurement: null };
  const run = await readRun(store, runId);
  const { system, budget, search: settings } = measured;
  // A base ends with its cold start: that is the version that is searched with.
  const search =
    system?.kind === 'searched'
      ? await storeSearch(store, config, run, run.plan.coldStartChunks, { system, budget, settings })
      : null;
  const { name, label, id } =
    search === null ? await storeSystem(store, run, measured) : searchedReference(search, system!.name);
  return { variant, seed, system: name, runId, measurement: { name: `study-${label}`, system: id ?? null, search } };
}

/** The finished study. */
export async function awaitStudy(cli: Cli, session: Session, studyId: string): Promise<StudyDocument> {
  const document = await readStudy(session.store, studyId);
  if (document.status === 'finished') return document;
  const workflowId = studyWorkflowId(studyId);
  sayPages(cli, session, workflowId, '');
  await awaitWorkflow(cli, session, {
    workflowId,
    title: `study ${studyId}`,
    result: session.client.workflow.getHandle(workflowId).result(),
    advice: [
      session.hasOwnWorkers
        ? 'Nothing is lost. Go on by giving the same command again.'
        : 'It goes on without you. See how far it is by giving the same command again.',
    ],
  });
  return readStudy(session.store, studyId);
}

/** Throws `NotFound` where there is no such study. */
export async function readStudy(store: Store, studyId: string): Promise<StudyDocument> {
  const found = await store.studies.findOne({ _id: studyId });
  if (found !== null) return found;
  throw new DomainError('NotFound', `there is no study '${studyId}' in the store; see: npx metaagentx study list`, {
    studyId,
  });
}
