/** One run of one stage on a fleet, and what its iterations took. */
import { loadDatasets } from '../../cli/datasets.ts';
import { loadRecipe } from '../../cli/recipes.ts';
import { startRun } from '../../cli/start-run.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import type { Fleet } from './fleet.ts';

/** Starts a run of the smoke recipe with changes; resolves when it has ended. */
export async function train({ store, client }: Fleet, runId: string, set: readonly string[] = []): Promise<void> {
  const recipe = await loadRecipe({ recipe: 'smoke', set: [...set] });
  const datasets = await loadDatasets(recipe);
  await startRun(store, client, { runId, recipe, datasets, config: resolveTemporalConfig({}) });
  await client.workflow.getHandle(runId).result();
}

export interface IterationTimes {
  /** `stage-01/iter-001` */
  place: string;
  fromMs: number;
  /** When its record was stored. */
  toMs: number;
  executions: number;
}

export async function iterationTimes({ store }: Fleet, runId: string): Promise<IterationTimes[]> {
  const iterations = await store.iterations.find({ runId }).sort({ _id: 1 }).toArray();
  return iterations.map(({ _id, facts, createdAt, metrics }) => ({
    place: _id.slice(runId.length + 1),
    fromMs: facts!.startedAt.getTime(),
    toMs: createdAt.getTime(),
    executions: metrics.executions ?? 0,
  }));
}

/** A control plane at full width: no model is trained before it, nothing is evaluated, one iteration. */
export const oneIteration = (questions: number, window: number): string[] => [
  'coldStart={"type":"none"}',
  'evaluation.limit=0',
  'stages.count=1',
  'stages.iterationsPerStage=1',
  'update.dropZeroAdvantage=false',
  `questions.train.count=${questions}`,
  `rollout.questionsPerIteration=${questions}`,
  `rollout.concurrentQuestions=${window}`,
  'rollout.designsPerQuestion=4',
  'rollout.executionsPerDesign=4',
];
