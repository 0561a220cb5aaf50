/** A run with its timeline: every committed iteration at its place, the stages that span them, evaluations among them. */
import { readRun } from '../../../activities/run-context.ts';
import type { Store } from '../../../activities/store/connect.ts';
import type {
  EvaluationDocument,
  IterationDocument,
  RunDocument,
  StageDocument,
} from '../../../activities/store/documents.ts';
import { iterationId } from '../../../shared/domain/ids.ts';
import type { StageBand } from '../charts/frame.ts';

export type IterationRow = Omit<IterationDocument, 'questions'>;
export type EvaluationRow = Omit<EvaluationDocument, 'perQuestion'>;

export interface RunData {
  run: RunDocument;
  stages: StageDocument[];
  /** In their order; place p of a chart is `iterations[p - 1]`. */
  iterations: IterationRow[];
  bands: StageBand[];
  evaluations: PlacedEvaluation[];
}

/** An evaluation of a training policy version, and where among the iterations that version was made. */
export interface PlacedEvaluation extends EvaluationRow {
  place: number;
}

/** Throws `RunNotFound`. */
export async function readRunData(store: Store, runId: string): Promise<RunData> {
  const [run, stages, iterations, evaluations] = await Promise.all([
    readRun(store, runId),
    store.stages.find({ runId }).toArray(),
    store.iterations.find({ runId }, { projection: { questions: 0 } }).toArray() as Promise<IterationRow[]>,
    store.evaluations.find({ runId }, { projection: { perQuestion: 0 } }).toArray() as Promise<EvaluationRow[]>,
  ]);
  iterations.sort((a, b) => a.stage - b.stage || a.iteration - b.iteration);
  return {
    run,
    stages: stages.sort((a, b) => a.stage - b.stage),
    iterations,
    bands: bandsOf(iterations),
    evaluations: evaluations
      .map((evaluation) => ({ ...evaluation, place: placeOf(evaluation.policyVersion, iterations) }))
      .sort((a, b) => a.policyVersion - b.policyVersion || a.createdAt.getTime() - b.createdAt.getTime()),
  };
}

function bandsOf(iterations: readonly IterationRow[]): StageBand[] {
  const bands: StageBand[] = [];
  iterations.forEach(({ stage, learner }, index) => {
    const last = bands.at(-1);
    if (last?.stage === stage) last.to = index + 1;
    else bands.push({ stage, learner, from: index + 1, to: index + 1 });
  });
  return bands;
}

/** Iterations that were done when the version was made. */
const placeOf = (version: number, iterations: readonly IterationRow[]) =>
  iterations.filter(({ policyOut }) => policyOut <= version).length;

/** A metric of the update by name; where the roles have weights of their own, that of the role that learned. */
export function metricOf({ metrics, learner }: IterationRow, name: string): number | null {
  const prefixed = `${learner}${name[0]!.toUpperCase()}${name.slice(1)}`;
  return metrics[name] ?? metrics[prefixed] ?? null;
}

/** Response tokens of both roles a second of rollout; null where it was not measured. */
export function tokensPerSecond({ facts }: Pick<IterationRow, 'facts'>): number | null {
  if (facts === undefined || facts.rolloutMs <= 0) return null;
  return (1000 * (facts.designerTokens + facts.executorTokens)) / facts.rolloutMs;
}

/** The iteration that runs now or comes next; null where all are done. */
export function nextIteration({ run, iterations }: Pick<RunData, 'run' | 'iterations'>): string | null {
  for (const { stage, iterations: planned } of run.plan.stages) {
    const done = iterations.filter((each) => each.stage === stage).length;
    if (done < planned) return iterationId(run._id, stage, done + 1);
  }
  return null;
}
