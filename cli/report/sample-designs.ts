/**
 * What the Designer wrote for the same held-out questions before training and after each stage: the questions whose score
 * changed most, in both directions, so that the choice does not flatter.
 */
import { designId, executionId, rolloutId } from '../../shared/domain/ids.ts';
import type { EvaluationDocument, RunDocument } from '../../activities/store/documents.ts';
import type { Store } from '../../activities/store/connect.ts';

export interface DesignSample {
  /** The evaluation that asked: `cold-start`, `stage-01`. */
  evaluation: string;
  policyVersion: number;
  /** Its path; `null` members where nothing is stored. */
  design: string;
  outcome: string;
  pattern: string | null;
  script: string | null;
  answer: string | null;
  correct: boolean | null;
}

export interface QuestionSamples {
  question: string;
  text: string;
  kind: string | null;
  /** Right samples at the first and at the last evaluation, of `samples`. */
  before: number;
  after: number;
  samples: number;
  designs: DesignSample[];
}

const gained = 2;
const lost = 1;

/** Empty where the run has fewer than two evaluations of its plan. */
export async function readSampleDesigns(store: Store, run: RunDocument): Promise<QuestionSamples[]> {
  const all = await store.evaluations.find({ runId: run._id }).toArray();
  const planned = all
    .filter(
      ({ name, dataset }) => /^(cold-start|stage-\d+)$/.test(name) && dataset.digest === run.datasets.heldOut.digest,
    )
    .sort((a, b) => a.policyVersion - b.policyVersion);
  const [first, last] = [planned[0], planned.at(-1)];
  if (first === undefined || last === undefined || first === last) return [];
  const changes = first.perQuestion
    .map(({ correct }, slot) => ({ slot, before: correct, after: last.perQuestion[slot]?.correct ?? correct }))
    .sort((a, b) => b.after - b.before - (a.after - a.before) || a.slot - b.slot);
  const losers = changes.filter(({ before, after }) => after < before).slice(-lost);
  const chosen = [...changes.filter(({ before, after }) => after >= before).slice(0, gained), ...losers];
  return Promise.all(chosen.map((change) => questionSamples(store, run, planned, change)));
}

async function questionSamples(
  store: Store,
  run: RunDocument,
  planned: readonly EvaluationDocument[],
  { slot, before, after }: { slot: number; before: number; after: number },
): Promise<QuestionSamples> {
  const stored = await store.questions.findOne({ _id: `${run.datasets.heldOut.digest}/${slot}` });
  return {
    question: stored?.question.id ?? String(slot),
    text: stored?.question.text ?? '',
    kind: stored?.question.kind ?? null,
    before,
    after,
    samples: planned[0]!.samples,
    designs: await Promise.all(planned.map((evaluation) => designSample(store, evaluation, slot))),
  };
}

/** The first sample of the question. */
async function designSample(store: Store, evaluation: EvaluationDocument, slot: number): Promise<DesignSample> {
  const id = designId(rolloutId(evaluation._id, slot), 0);
  const run = executionId(id, 0);
  const [design, execution, verdict] = await Promise.all([
    store.designs.findOne({ _id: id }, { projection: { script: 1, outcome: 1, structure: 1 } }),
    store.executions.findOne({ _id: run }, { projection: { reply: 1 } }),
    store.verdicts.findOne({ _id: run }, { projection: { verdict: 1 } }),
  ]);
  return {
    evaluation: evaluation.name,
    policyVersion: evaluation.policyVersion,
    design: id,
    outcome: design?.outcome ?? 'not stored',
    pattern: design?.structure?.pattern ?? null,
    script: design?.script ?? null,
    answer: execution?.reply?.answer ?? execution?.reply?.text ?? null,
    correct: verdict?.verdict?.correct ?? null,
  };
}
