/** A study's cells from the documents of its runs: what each learned, what it cost. */
import { evaluationId, studyWorkflowId } from '../../shared/domain/ids.ts';
import type { RecordStudyInput, StudyCellPlan, StudyFailures } from '../../shared/domain/study-plan.ts';
import { DomainError } from '../../shared/errors.ts';
import type { CurvePoint, StudyCell } from '../../shared/evaluation/study-table.ts';
import { unpin } from '../policy/pins.ts';
import type { Store } from '../store/connect.ts';
import { costOfBatches } from '../systems/search-cost.ts';

export async function recordStudy({ store }: { store: Store }, { studyId, failures }: RecordStudyInput): Promise<void> {
  const document = await store.studies.findOne({ _id: studyId });
  if (document === null) {
    throw new DomainError('RecordConflict', `study '${studyId}' is not in the store`, { studyId });
  }
  const cells = await readCells(store, document.plan.cells, failures);
  await store.studies.updateOne({ _id: studyId }, { $set: { status: 'finished', cells, finishedAt: new Date() } });
  const runIds = new Set(document.plan.cells.map(({ runId }) => runId));
  for (const runId of runIds) await unpin(store, runId, studyWorkflowId(studyId));
}

/** Every cell as it stands; those that have not been measured yet count as failed with that reason. */
export function readCells(
  store: Store,
  cells: readonly StudyCellPlan[],
  failures: StudyFailures,
): Promise<StudyCell[]> {
  return Promise.all(cells.map((cell) => readCell(store, cell, failures)));
}

async function readCell(store: Store, cell: StudyCellPlan, failures: StudyFailures): Promise<StudyCell> {
  const { variant, seed, system, runId } = cell;
  const run = await store.runs.findOne({ _id: runId }, { projection: { plan: 1 } });
  const name = cell.measurement?.name ?? lastEvaluation(run?.plan.stages.length ?? 0);
  const [start, reported, learning] = await Promise.all([
    store.evaluations.findOne({ _id: evaluationId(runId, 'cold-start') }, { projection: { metrics: 1 } }),
    store.evaluations.findOne({ _id: evaluationId(runId, name) }, { projection: { metrics: 1 } }),
    learningCost(store, cell),
  ]);
  const failure = failures[`${runId}#${variant}`] ?? (reported === null ? 'not measured' : null);
  const metrics = failure === null ? reported?.metrics : undefined;
  return {
    variant,
    seed,
    system,
    runId,
    status: failure === null ? 'finished' : 'failed',
    failure,
    evaluation: reported?._id ?? null,
    start: start?.metrics.average ?? null,
    average: metrics?.average ?? null,
    majority: metrics?.majority ?? null,
    callsPerAnswer: metrics?.callsPerAnswer ?? null,
    responseTokensPerAnswer: metrics?.responseTokensPerAnswer ?? null,
    ...learning,
  };
}

/** A run's evaluations are named after what they follow. */
const lastEvaluation = (stages: number) => (stages === 0 ? 'cold-start' : `stage-${String(stages).padStart(2, '0')}`);

/** Model calls and tokens of all committed iterations, or of the search for the system. */
async function learningCost(
  store: Store,
  { runId, measurement }: StudyCellPlan,
): Promise<{ learningCalls: number; learningTokens: number }> {
  const found = await store.systems.findOne({ _id: measurement?.system ?? '' }, { projection: { search: 1 } });
  const iterations = await store.iterations.find({ runId }, { projection: { _id: 1 } }).toArray();
  const cost =
    found?.search ??
    (await costOfBatches(
      store,
      iterations.map(({ _id }) => _id),
    ));
  return { learningCalls: cost.calls, learningTokens: cost.promptTokens + cost.responseTokens };
}

/** Learning curves of all trained cells, in order. */
export async function readCurves(store: Store, cells: readonly StudyCellPlan[]): Promise<CurvePoint[]> {
  const curves = await Promise.all(
    cells.map(async ({ variant, seed, runId }) => {
      const found = await store.iterations.find({ runId }).toArray();
      const ordered = found.sort((a, b) => a.stage - b.stage || a.iteration - b.iteration);
      return ordered.map(({ learner, metrics }, index) => ({
        variant,
        seed,
        iteration: index + 1,
        learner,
        meanReward: metrics.meanReward ?? 0,
        validDesigns: metrics.validDesigns ?? null,
        calls: metrics.calls ?? null,
      }));
    }),
  );
  return curves.flat();
}
