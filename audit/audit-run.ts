/**
 * The audit of one run, from the database and the Temporal histories alone: every planned thing exists exactly once, all
 * numbers recompute from raw data, the chain of versions is unbroken, nothing was done twice. Writes nothing.
 */
import type { Client } from '@temporalio/client';
import { DomainError } from '../shared/errors.ts';
import type { Question } from '../shared/domain/question.ts';
import type {
  EvaluationDocument,
  IterationDocument,
  PolicyDocument,
  RunDocument,
} from '../activities/store/documents.ts';
import { AskedQuestions } from './asked-questions.ts';
import { checkBlobs, countLeftovers } from './check-blobs.ts';
import { answeredIn, checkCandidates } from './check-candidates.ts';
import type { Answered } from './check-candidates.ts';
import { checkHistories, LastWritten } from './check-histories.ts';
import { checkEvaluationMetrics, checkIterationMetrics } from './check-metrics.ts';
import { checkDraws, checkPlan } from './check-plan.ts';
import type { Records } from './check-plan.ts';
import { checkTree } from './check-tree.ts';
import { checkVersions, committedVersion } from './check-versions.ts';
import { below } from './database.ts';
import type { Database } from './database.ts';
import type { Misfit } from '../activities/store/forms/check.ts';
import { evaluationBatch, expectedOf } from './expected.ts';
import type { Expected, ExpectedBatch } from './expected.ts';
import { FingerprintBuilder } from './fingerprint.ts';
import { looseBatches } from './loose-batches.ts';
import { Findings } from './report.ts';
import type { AuditReport } from './report.ts';
import { misfitOf, readSound } from './sound.ts';
import { readTree } from './tree.ts';
import type { Tree } from './tree.ts';

export interface AuditOptions {
  /** Null: histories are not looked at. */
  client: Client | null;
}

/** Throws `RunNotFound`; `InvalidInput` for a run of a newer program, `RecordBroken` for one whose own document is broken. */
export async function auditRun(db: Database, runId: string, { client }: AuditOptions): Promise<AuditReport> {
  const run = await db.runs.findOne({ _id: runId });
  if (run === null) {
    throw new DomainError('RunNotFound', `there is no run '${runId}' in the store; see: npx metaagentx list`, {
      runId,
    });
  }
  const findings = new Findings();
  const broken = misfitOf('runs', run);
  if (broken !== null) throw unreadable(runId, broken);
  const expected = expectedOf(run);
  const records = await readRecords(db, findings, runId);
  const policies = await readSound(db.policies, findings, below(runId));
  policies.sort((a, b) => a.version - b.version);
  checkPlan(findings, run, expected, records);
  checkDraws(findings, run, expected.iterations, records.iterations);
  const fingerprint = new FingerprintBuilder(runId);
  fingerprint.versions(policies);
  const written = new LastWritten();
  await new Batches(db, findings, run, policies, fingerprint, written).check(expected, records);
  const committed = committedVersion(run, expected, new Set(records.iterations.keys()));
  await checkBlobs(db, findings, checkVersions(findings, run, expected, policies, committed));
  await countLeftovers(db, findings);
  if (client === null) findings.note('histories were not looked at');
  else await checkHistories(client, findings, run, expected, written);
  return {
    runId,
    status: run.status,
    examined: findings.examined,
    findings: findings.list,
    notes: [...findings.notes],
    fingerprint: fingerprint.digests(),
  };
}

function unreadable(runId: string, { kind, why }: Misfit): DomainError {
  return kind === 'newer'
    ? new DomainError('InvalidInput', `run '${runId}' was written by a newer program (${why}); update this clone`, {
        runId,
      })
    : new DomainError(
        'RecordBroken',
        `run '${runId}' is broken: ${why}. Without its plan nothing can be audited; put the document back from a backup`,
        { runId, why },
      );
}

async function readRecords(db: Database, findings: Findings, runId: string): Promise<Records> {
  const byId = <Doc extends { _id: string }>(documents: Doc[]) => new Map(documents.map((each) => [each._id, each]));
  const [stages, iterations, evaluations] = await Promise.all([
    readSound(db.stages, findings, below(runId)),
    readSound(db.iterations, findings, below(runId)),
    readSound(db.evaluations, findings, below(runId)),
  ]);
  return { stages, iterations: byId(iterations), evaluations: byId(evaluations) };
}

/** Walks over all batches, one tree in memory at a time. */
class Batches {
  readonly #db: Database;
  readonly #findings: Findings;
  readonly #run: RunDocument;
  readonly #policies: readonly PolicyDocument[];
  readonly #fingerprint: FingerprintBuilder;
  readonly #written: LastWritten;
  readonly #placed = { designs: 0, executions: 0, calls: 0, verdicts: 0, credits: 0 };
  /** The iteration that may be under way: the first one without a record. */
  #open: string | null = null;

  constructor(
    db: Database,
    findings: Findings,
    run: RunDocument,
    policies: readonly PolicyDocument[],
    fingerprint: FingerprintBuilder,
    written: LastWritten,
  ) {
    this.#db = db;
    this.#findings = findings;
    this.#run = run;
    this.#policies = policies;
    this.#fingerprint = fingerprint;
    this.#written = written;
  }

  async check({ iterations, evaluations }: Expected, records: Records): Promise<void> {
    for (const batch of iterations) {
      const record = records.iterations.get(batch.id);
      if (record !== undefined) await this.#iteration(batch, record);
      else if (this.#open === null) {
        this.#open = batch.id;
        await this.#tree(batch, [], false);
      }
    }
    const planned = new Set(evaluations.map(({ id }) => id));
    for (const batch of evaluations) await this.#evaluation(batch, records.evaluations.get(batch.id));
    for (const record of records.evaluations.values()) {
      if (planned.has(record._id)) continue;
      const { name, policyVersion, samples, questions, runId } = record;
      await this.#evaluation(evaluationBatch(runId, name, policyVersion, samples, questions), record);
    }
    await this.#loose(new Set([...planned, ...records.evaluations.keys()]));
    await this.#strangers();
  }

  async #iteration(batch: ExpectedBatch, record: IterationDocument): Promise<void> {
    const questions = await this.#questions(record.questions);
    const tree = await this.#tree(batch, questions, true);
    checkIterationMetrics(this.#findings, record, tree);
  }

  async #evaluation(batch: ExpectedBatch, record: EvaluationDocument | undefined): Promise<void> {
    const { digest } = record?.dataset ?? this.#run.datasets.heldOut;
    const ids = Array.from({ length: batch.questions }, (_, index) => `${digest}/${index}`);
    const tree = await this.#tree(batch, await this.#questions(ids), record !== undefined);
    if (record !== undefined) checkEvaluationMetrics(this.#findings, record, tree);
  }

  async #questions(ids: readonly string[]): Promise<(Question | undefined)[]> {
    const found = await readSound(this.#db.questions, this.#findings, { _id: { $in: [...ids] } });
    const byId = new Map(found.map(({ _id, question }) => [_id, question]));
    for (const id of ids) {
      this.#findings.holds(byId.has(id), 'questions', id, () => 'is missing');
    }
    return ids.map((id) => byId.get(id));
  }

  async #tree(batch: ExpectedBatch, questions: readonly (Question | undefined)[], complete: boolean) {
    const tree = await readTree(this.#db, this.#findings, this.#run, batch, this.#vocabSize());
    checkTree({ run: this.#run, findings: this.#findings, questions, complete }, tree);
    this.#fingerprint.tree(tree);
    this.#written.tree(tree);
    this.#place(tree);
    return tree;
  }

  /** They may be under way, and an equal run need not have them: no part of the fingerprint. */
  async #loose(known: ReadonlySet<string>): Promise<void> {
    const batches = await looseBatches(this.#db, this.#run._id, known);
    const asked = new AskedQuestions(this.#db, this.#findings, this.#run);
    const answered = new Map<string, Answered>();
    for (const batch of batches) {
      const tree = await readTree(this.#db, this.#findings, this.#run, batch, this.#vocabSize());
      const questions = await asked.of(tree);
      checkTree({ run: this.#run, findings: this.#findings, questions, complete: false }, tree);
      answered.set(batch.id, answeredIn(tree));
      this.#place(tree);
    }
    const candidates = await readSound(this.#db.candidates, this.#findings, below(this.#run._id));
    checkCandidates(this.#findings, candidates, answered);
    if (batches.length > 0)
      this.#findings.note(`${batches.length} batches beside the plan have no record: checked by what they hold`);
  }

  #vocabSize(): number {
    return this.#policies[0]?.decoder.vocabSize ?? Infinity;
  }

  #place(tree: Tree): void {
    this.#placed.designs += tree.designs.size;
    this.#placed.executions += tree.executions.size;
    this.#placed.verdicts += tree.verdicts.size;
    this.#placed.credits += tree.credits.size;
    for (const calls of tree.calls.values()) this.#placed.calls += calls.length;
  }

  /** Documents of the run that belong to no batch that it may have. */
  async #strangers(): Promise<void> {
    const path = this.#run._id;
    for (const [name, placed] of Object.entries(this.#placed)) {
      const check = name as 'designs' | 'executions' | 'calls' | 'verdicts' | 'credits';
      const there = await this.#db.raw.collection<{ _id: string }>(name).countDocuments(below(path));
      this.#findings.holds(
        there === placed,
        check,
        path,
        () => `has ${there} ${name}: the plan has a place for ${placed}`,
      );
    }
  }
}
