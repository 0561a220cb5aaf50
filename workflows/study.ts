/**
 * A study: cold starts, then one run a variant and seed, then measurements. Every run goes on from where the database says
 * it stands, so a study that was cut off anywhere is resumed by starting it again. A run that fails is a row of the
 * table, not the end of the study; one that somebody stopped leaves the study open, to go on when it is given again.
 */
import { ApplicationFailure } from '@temporalio/common';
import {
  CancellationScope,
  continueAsNew,
  executeChild,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
} from '@temporalio/workflow';
import { evaluationId, policyVersionName, studyWorkflowId } from '../shared/domain/ids.ts';
import type { StudyCellPlan, StudyFailures, StudyPlan } from '../shared/domain/study-plan.ts';
import { activitiesOf } from './activity-proxies.ts';
import { checkInput, unnestedPlanFields } from './check-input.ts';
import { evaluation } from './evaluation.ts';
import { failureOf } from './failure.ts';
import { batchProgressQuery } from './messages.ts';
import { visible } from './search-attributes.ts';
import { systemSearch } from './system-search.ts';
import { trainingRun } from './training-run.ts';
import type { TrainingRunResult } from './training-run.ts';
import { isVersioned } from './versioned.ts';
import { mapWhileShort } from './window.ts';

/** Where a study stands that continues as new: parts that were dealt with, cold starts before cells. */
interface StudyProgress {
  parts: number;
  failures: StudyFailures;
  /** Runs that were stopped before their end. */
  stopped?: string[];
}

export async function study(plan: StudyPlan, from: StudyProgress = { parts: 0, failures: {} }): Promise<StudyFailures> {
  checkStudy(plan);
  const { studyId, bases, cells, concurrentRuns } = plan;
  const { control } = activitiesOf(plan);
  const failures = { ...from.failures };
  const stopped = new Set(from.stopped);
  const of = bases.length + cells.length;
  let done = from.parts;
  const attempt = async (key: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (isCancellation(error)) throw error;
      const failure = failureOf(error);
      failures[key] = failure === undefined ? String(error) : `${failure.name}: ${failure.message}`;
    }
    done += 1;
    setCurrentDetails(`${done} of ${of} parts · ${Object.keys(failures).length} failed · newest: ${key}`);
  };
  setHandler(batchProgressQuery, () => ({ done, of, parts: 'runs and measurements' }), {
    description: 'How many runs and measurements are done.',
  });

  const basesLeft = bases.slice(from.parts);
  await mapWhileShort(basesLeft, concurrentRuns, (runId) => attempt(runId, () => runToEnd(plan, runId, stopped)));
  if (done >= bases.length) {
    await mapWhileShort(cells.slice(done - bases.length), concurrentRuns, (cell) =>
      attempt(cellKey(cell), async () => {
        await runToEnd(plan, cell.runId, stopped);
        await measure(plan, cell);
      }),
    );
  }
  if (done < of) await continueAsNew<typeof study>(plan, { parts: done, failures, stopped: [...stopped] });
  if (stopped.size > 0) throw runStopped([...stopped].sort(), studyId);
  await control.recordStudy({ studyId, failures });
  return failures;
}

// Its runs are to begin with new code, as those of `trainingRun`.
setWorkflowOptions(() => (isVersioned() ? { versioningBehavior: 'AUTO_UPGRADE' } : {}), study);

function checkStudy(plan: StudyPlan): void {
  checkInput('study', plan, {
    studyId: 'text',
    bases: 'list',
    cells: 'list',
    concurrentRuns: 'number',
    ...unnestedPlanFields,
  });
  plan.bases.forEach((runId, index) => checkInput(`study (bases[${index}])`, { runId }, { runId: 'text' }));
  plan.cells.forEach((cell, index) =>
    checkInput(`study (cells[${index}])`, cell, {
      runId: 'text',
      variant: 'text',
      ...(cell?.measurement == null ? {} : { 'measurement.name': 'text' }),
    }),
  );
}

/** A base's own failure goes by its run id, a cell's by run and variant: several may measure one base. */
const cellKey = ({ runId, variant }: StudyCellPlan) => `${runId}#${variant}`;

const runStopped = (runIds: string[], studyId: string) =>
  ApplicationFailure.nonRetryable(
    `run ${runIds.map((runId) => `'${runId}'`).join(', ')} was stopped before its end. Go on by giving the study again: npx metaagentx study ${studyId}`,
    'RunStopped',
  );

/** Throws `RunStopped`, also where the run is stopped already: several cells may ask for one. */
async function runToEnd(plan: StudyPlan, runId: string, stopped: Set<string>): Promise<void> {
  if (stopped.has(runId)) throw runStopped([runId], plan.studyId);
  const { control } = activitiesOf(plan);
  const state = await control.readStudyRun({ runId });
  if (state.ended) return;
  const { dataset, from } = state;
  const ended = executeChild(trainingRun, {
    workflowId: runId,
    args: [{ runId, dataset: dataset.digest, plan: state.plan, from }],
    staticSummary: `run of ${plan.studyId}`,
    typedSearchAttributes: visible({ runId, dataset: dataset.name }),
  });
  if (!(await isStopped(ended))) return;
  stopped.add(runId);
  throw runStopped([runId], plan.studyId);
}

/** Whether somebody stopped the run before its end, or cancelled it and not the study. */
async function isStopped(ended: Promise<TrainingRunResult>): Promise<boolean> {
  try {
    const { stopped } = await ended;
    // Studies of before measured such a run as if it had ended.
    return stopped && patched('stopped-run');
  } catch (error) {
    const isAlone = isCancellation(error) && !CancellationScope.current().consideredCancelled;
    // Studies of before were cancelled with it.
    if (isAlone && patched('cancelled-run')) return true;
    throw error;
  }
}

async function measure(plan: StudyPlan, { runId, measurement, system }: StudyCellPlan): Promise<void> {
  if (measurement === null) return;
  const { control } = activitiesOf(plan);
  const { name, search } = measurement;
  // The study's own pin: its workflow runs before and between those that measure.
  const searching = search === null ? null : { searchId: search.searchId, policyVersion: search.policyVersion };
  const measuring = { pin: studyWorkflowId(plan.studyId), name, search: searching };
  const { from, evaluation: settings, plan: runPlan } = await control.readStudyRun({ runId, measuring });
  if (from === null || name in from.evaluations) return;
  if (search !== null) {
    await executeChild(systemSearch, {
      workflowId: search.searchId,
      // The study's own plan is of before any change of the run's recipe.
      args: [{ ...search, revision: runPlan.revision }],
      staticSummary: `search for ${system}: ${search.rounds} rounds`,
      typedSearchAttributes: visible({ runId, policyVersion: search.policyVersion }),
    });
  }
  const { queues, activities } = plan;
  const { policyVersion } = from;
  await executeChild(evaluation, {
    workflowId: evaluationId(runId, name),
    args: [
      {
        runId,
        name,
        policyVersion,
        system: measurement.system ?? undefined,
        plan: { queues, activities, evaluation: settings, revision: runPlan.revision },
      },
    ],
    staticSummary: `${system}: avg@${settings.samples} of ${policyVersionName(policyVersion)}`,
    typedSearchAttributes: visible({ runId, policyVersion }),
  });
}
