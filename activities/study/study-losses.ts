/**
 * What a finished study's table rests on and the store has no more, or has otherwise by now. The table stays as it was recorded;
 * what lies below the named documents is for `audit RUN` to say.
 */
import { evaluationId, iterationId, policyId } from '../../shared/domain/ids.ts';
import type { StudyCellPlan } from '../../shared/domain/study-plan.ts';
import { cellNumbers } from '../../shared/evaluation/study-table.ts';
import type { StudyCell } from '../../shared/evaluation/study-table.ts';
import { whatAnEvaluationLacks } from '../recovery/batch-wholeness.ts';
import type { Store } from '../store/connect.ts';
import type { RunDocument, StudyDocument } from '../store/documents.ts';
import { readCells } from './record-study.ts';

/** In words, each once. */
export async function studyLosses(store: Store, { plan, cells }: StudyDocument): Promise<string[]> {
  const failures = Object.fromEntries(
    cells.flatMap(({ runId, variant, failure }) => (failure === null ? [] : [[`${runId}#${variant}`, failure]])),
  );
  const now = await readCells(store, plan.cells, failures);
  const losses: string[] = [];
  for (const [index, cell] of cells.entries()) {
    losses.push(...(await goneOf(store, plan.cells[index]!, cell)));
    const differing = cellNumbers.filter((name) => now[index]![name] !== cell[name]);
    losses.push(
      ...differing.map(
        (name) =>
          `${name} of ${cell.variant}, seed ${cell.seed}: the table has ${cell[name]}, documents give ${now[index]![name]}`,
      ),
    );
  }
  return [...new Set(losses)];
}

/** Documents of one cell that are not there, by id. */
async function goneOf(store: Store, plan: StudyCellPlan, cell: StudyCell): Promise<string[]> {
  const { runId, evaluation, start, status } = cell;
  const run = await store.runs.findOne({ _id: runId }, { projection: { plan: 1, status: 1 } });
  if (run === null) return [`run ${runId} is not in the store`];
  const gone: string[] = [];
  // A cell that failed says of its run no more than that.
  if (status === 'finished') gone.push(...(await goneOfRun(store, run)));
  const system = plan.measurement?.system;
  if (system != null && status === 'finished') {
    const isThere = (await store.systems.findOne({ _id: system }, { projection: { _id: 1 } })) !== null;
    if (!isThere) gone.push(`system ${system} is not in the store`);
  }
  const measured = [start === null ? null : evaluationId(runId, 'cold-start'), evaluation];
  for (const id of new Set(measured.filter((each) => each !== null))) gone.push(...(await lacksOf(store, id)));
  return gone;
}

/** A run that has been taken further since has another table. */
async function goneOfRun(store: Store, { _id: runId, status, plan }: Pick<RunDocument, '_id' | 'status' | 'plan'>) {
  if (status !== 'finished') return [`run ${runId} had ended and is ${status} by now`];
  const recorded = new Set(await store.iterations.distinct('_id', { runId }));
  return plan.stages
    .flatMap(({ stage, iterations }) =>
      Array.from({ length: iterations }, (_, index) => iterationId(runId, stage, index + 1)),
    )
    .filter((id) => !recorded.has(id))
    .map((id) => `iteration ${id} is not in the store`);
}

async function lacksOf(store: Store, id: string): Promise<string[]> {
  const found = await store.evaluations.findOne({ _id: id });
  if (found === null) return [`evaluation ${id} is not in the store`];
  const lacks = await whatAnEvaluationLacks(store, found);
  const version = policyId(found.runId, found.policyVersion);
  const isThere = (await store.policies.findOne({ _id: version }, { projection: { _id: 1 } })) !== null;
  return [
    ...(lacks === null ? [] : [`${lacks} of ${id} are not in the store`]),
    ...(isThere ? [] : [`${version}, which ${id} is of, is not in the store`]),
  ];
}
