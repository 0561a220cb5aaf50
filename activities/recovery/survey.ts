/**
 * How much of a run is whole. A run is a chain of versions, each made from the one before by one batch of documents; what
 * counts is the longest prefix of it in which nothing is missing. Everything after the first gap is to be done again.
 */
import { evaluationId, iterationId, policyId } from '../../shared/domain/ids.ts';
import type { RunPosition } from '../../shared/domain/plan.ts';
import { DomainError } from '../../shared/errors.ts';
import { plannedEvaluations } from '../../shared/plan/planned-evaluations.ts';
import { readRun } from '../run-context.ts';
import { rateFactorOf } from '../run-position.ts';
import type { EvaluationDocument, IterationDocument, PolicyDocument, RunDocument } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';
import { recordAfter } from './undo-record.ts';
import { hasDocuments, looseEndOf, whatAnEvaluationLacks, whatIsMissing } from './batch-wholeness.ts';

export interface Survey {
  /** Where the whole part ends; null: it has no initial policy. */
  position: RunPosition | null;
  /** What is not whole, in words; empty for a run that was merely interrupted. */
  losses: string[];
  /** Iterations whose documents go, newest first; empty where none of the losses is theirs. */
  iterations: string[];
  /** Versions from this one on go; null: none. */
  versionsFrom: number | null;
  /** Evaluations whose documents go. */
  evaluations: string[];
}

/** Throws `RunNotFound`; `RecordConflict` where the run's questions are gone. */
export async function surveyRun(store: Store, runId: string): Promise<Survey> {
  const run = await readRun(store, runId);
  await checkQuestions(store, run);
  const [policies, iterations, evaluations] = await Promise.all([
    store.policies.find({ runId }).toArray(),
    store.iterations.find({ runId }).toArray(),
    store.evaluations.find({ runId }).toArray(),
  ]);
  const surveyor = new Surveyor(store, run, policies, iterations);
  await surveyor.walk();
  const chainIsHurt = surveyor.hasLosses;
  await surveyor.weighEvaluations(evaluations);
  return surveyor.survey(chainIsHurt);
}

async function checkQuestions(store: Store, { _id: runId, datasets }: RunDocument): Promise<void> {
  for (const { digest, name, count } of [datasets.train, datasets.heldOut]) {
    const there = await store.questions.countDocuments({ digest });
    if (there >= count) continue;
    throw new DomainError(
      'RecordConflict',
      `the store has ${there} of the ${count} questions '${name}' of run '${runId}': it has lost writes that cannot be made again from what is there. Start the run anew under another --run-id`,
      { digest, there, count },
    );
  }
}

class Surveyor {
  readonly #store: Store;
  readonly #run: RunDocument;
  readonly #policies: ReadonlyMap<number, PolicyDocument>;
  readonly #iterations: ReadonlyMap<string, IterationDocument>;
  readonly #losses: string[] = [];
  /** Iterations that are not done, newest first. */
  readonly #open: string[] = [];
  readonly #done: number[];
  /** Newest version of the whole part; -1: none. */
  #version = -1;
  #chunks = 0;
  readonly #averages: Record<string, number> = {};
  readonly #lostEvaluations: string[] = [];

  constructor(
    store: Store,
    run: RunDocument,
    policies: readonly PolicyDocument[],
    iterations: readonly IterationDocument[],
  ) {
    this.#store = store;
    this.#run = run;
    this.#policies = new Map(policies.map((policy) => [policy.version, policy]));
    this.#iterations = new Map(iterations.map((record) => [record._id, record]));
    this.#done = run.plan.stages.map(() => 0);
  }

  async walk(): Promise<void> {
    const { plan, _id: runId } = this.#run;
    while (this.#version < plan.coldStartChunks && this.#policies.has(this.#version + 1)) this.#version += 1;
    this.#chunks = Math.max(0, this.#version);
    let whole = this.#version === plan.coldStartChunks;
    for (const { stage, iterations } of plan.stages) {
      for (let iteration = 1; iteration <= iterations; iteration++) {
        const id = iterationId(runId, stage, iteration);
        const loss = whole ? await this.#lossOf(id) : await this.#traceOf(id);
        if (loss !== null) this.#losses.push(loss);
        if (whole && loss === null && this.#iterations.has(id)) {
          this.#done[stage - 1] = iteration;
          this.#version += 1;
        } else {
          this.#open.unshift(id);
          whole = false;
        }
      }
    }
    const newest = Math.max(-1, ...this.#policies.keys());
    // One version more than records say is an update whose iteration was about to be recorded.
    const allowed = this.#version + (this.#version < plan.coldStartChunks ? 0 : 1);
    if (newest > allowed) this.#losses.push(policyId(runId, allowed + 1));
  }

  /** What an iteration lacks for what it is: recorded, updated and about to be recorded, or under way. */
  async #lossOf(id: string): Promise<string | null> {
    const { questionsPerIteration, designsPerQuestion, executionsPerDesign } = this.#run.plan.rollout;
    const record = this.#iterations.get(id);
    const isUpdated = this.#policies.has(this.#version + 1);
    if (record !== undefined && !isUpdated) return policyId(this.#run._id, this.#version + 1);
    const shape = { questions: questionsPerIteration, designs: designsPerQuestion, executions: executionsPerDesign };
    const missing = isUpdated
      ? await whatIsMissing(this.#store, id, { ...shape, isTraining: true })
      : await looseEndOf(this.#store, id);
    return missing === null ? null : `${missing} of ${id}`;
  }

  /** After an iteration that is not done there may be nothing. */
  async #traceOf(id: string): Promise<string | null> {
    const isThere = this.#iterations.has(id) || (await hasDocuments(this.#store, id));
    return isThere ? `what comes before ${id}` : null;
  }

  /** An evaluation is a leaf: it counts where it is whole and of a version that stays, and is done again otherwise. */
  async weighEvaluations(evaluations: readonly EvaluationDocument[]): Promise<void> {
    const isHurt = this.#losses.length > 0;
    const last = isHurt ? this.#version : Math.max(-1, ...this.#policies.keys());
    const planned = plannedEvaluations(this.#run.plan);
    for (const evaluation of evaluations) {
      const { _id, name, policyVersion, metrics } = evaluation;
      const missing = policyVersion > last ? null : await whatAnEvaluationLacks(this.#store, evaluation);
      if (missing !== null) this.#losses.push(`${missing} of ${_id}`);
      if (!isHurt && policyVersion > last) this.#losses.push(`${policyId(this.#run._id, policyVersion)} of ${_id}`);
      if (missing !== null || policyVersion > last) this.#lostEvaluations.push(_id);
      else if (planned.includes(name)) this.#averages[name] = metrics.average;
    }
    const { _id: runId } = this.#run;
    for (const id of planned.map((name) => evaluationId(runId, name))) {
      if (evaluations.some(({ _id }) => _id === id)) continue;
      const looseEnd = await looseEndOf(this.#store, id);
      if (looseEnd === null) continue;
      this.#losses.push(`${looseEnd} of ${id}`);
      this.#lostEvaluations.push(id);
    }
  }

  survey(chainIsHurt: boolean): Survey {
    const position: RunPosition = {
      policyVersion: this.#version,
      coldStartChunks: this.#chunks,
      iterations: this.#done,
      evaluations: this.#averages,
      rateFactor: rateFactorOf({ ...this.#run, ...(chainIsHurt ? recordAfter(this.#run, null, this.#open) : {}) }),
    };
    return {
      position: this.#version < 0 ? null : position,
      losses: this.#losses,
      iterations: chainIsHurt ? this.#open : [],
      versionsFrom: chainIsHurt ? this.#version + 1 : null,
      evaluations: this.#lostEvaluations,
    };
  }

  get hasLosses(): boolean {
    return this.#losses.length > 0;
  }
}
