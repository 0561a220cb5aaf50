/** What a run has learned, for its end and for `status`: held-out scores by policy version, and one learned design. */
import { rolloutId } from '../shared/domain/ids.ts';
import { readRun } from '../activities/run-context.ts';
import type { EvaluationDocument, RunDocument } from '../activities/store/documents.ts';
import type { Store } from '../activities/store/connect.ts';

export interface EvaluationRow {
  name: string;
  policyVersion: number;
  samples: number;
  questions: number;
  dataset: string;
  average: number;
  validDesigns: number | null;
  /** Model calls of one answer, the Designer's included. */
  callsPerAnswer: number | null;
}

export interface LearnedDesign {
  /** Path for `inspect`. */
  id: string;
  question: string;
  script: string;
  answer: string | null;
}

export interface RunReport {
  run: RunDocument;
  evaluations: EvaluationRow[];
  iterations: number;
  design: LearnedDesign | null;
}

/** Throws `RunNotFound`. */
export async function readReport(store: Store, runId: string): Promise<RunReport> {
  const [run, evaluations, iterations] = await Promise.all([
    readRun(store, runId),
    store.evaluations.find({ runId }).toArray(),
    store.iterations.countDocuments({ runId }),
  ]);
  const planned = evaluations.sort((a, b) => a.policyVersion - b.policyVersion || (a.name < b.name ? -1 : 1));
  const newest = planned.filter(({ name }) => /^(cold-start|stage-\d+)$/.test(name)).at(-1);
  return {
    run,
    evaluations: planned.map(rowOf),
    iterations,
    design: newest === undefined ? null : await exampleDesign(store, newest),
  };
}

const rowOf = ({ name, policyVersion, samples, questions, dataset, metrics }: EvaluationDocument): EvaluationRow => ({
  name,
  policyVersion,
  samples,
  questions,
  dataset: dataset.name,
  average: metrics.average ?? 0,
  validDesigns: metrics.validDesigns ?? null,
  callsPerAnswer: metrics.callsPerAnswer ?? null,
});

/** A design of the Designer's that was right in the evaluation, with as many agents as any among the first questions. */
async function exampleDesign(store: Store, { _id: batchId, runId }: EvaluationDocument): Promise<LearnedDesign | null> {
  const right = await store.verdicts.find({ runId, batchId, 'verdict.correct': true }).limit(60).toArray();
  const ids = right.map(({ _id }) => _id.replace(/\/e-\d+$/, ''));
  const designs = await store.designs
    .find({ _id: { $in: ids }, writtenBy: 'designer' }, { projection: { script: 1, structure: 1, rolloutId: 1 } })
    .toArray();
  const best = designs.sort((a, b) => (b.structure?.agents ?? 0) - (a.structure?.agents ?? 0))[0];
  if (best === undefined) return null;
  const slot = Number(/\/q-(\d+)$/.exec(best.rolloutId)?.[1] ?? 0);
  const run = await readRun(store, runId);
  const question = await store.questions.findOne({ _id: `${run.datasets.heldOut.digest}/${slot}` });
  if (question === null || rolloutId(batchId, slot) !== best.rolloutId) return null;
  const execution = await store.executions.findOne({ _id: `${best._id}/e-0` });
  return {
    id: best._id,
    question: question.question.text,
    script: best.script ?? '',
    answer: execution?.reply?.answer ?? execution?.reply?.text ?? null,
  };
}
