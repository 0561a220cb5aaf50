/**
 * The records of stages, iterations and evaluations against the plan. A finished run has all of them; any other has
 * those of a prefix of the plan, for only then does the run know where it stands.
 */
import { stageId } from '../shared/domain/ids.ts';
import type {
  EvaluationDocument,
  IterationDocument,
  RunDocument,
  StageDocument,
} from '../activities/store/documents.ts';
import type { Expected, ExpectedIteration } from './expected.ts';
import type { Findings } from './report.ts';

export interface Records {
  stages: StageDocument[];
  iterations: Map<string, IterationDocument>;
  evaluations: Map<string, EvaluationDocument>;
}

export function checkPlan(findings: Findings, run: RunDocument, expected: Expected, records: Records): void {
  const isFinished = run.status === 'finished';
  const say = (id: string, problem: string) => findings.found('plan', id, problem);
  checkIterations(findings, expected.iterations, records.iterations, isFinished);
  checkStages(findings, run, expected.iterations, records, isFinished);
  const planned = new Set(expected.evaluations.map(({ id }) => id));
  for (const { id, policyVersion, questions, designs: samples } of expected.evaluations) {
    const record = records.evaluations.get(id);
    findings.saw('plan');
    if (record === undefined) {
      if (isFinished) say(id, 'is missing');
    } else if (record.policyVersion !== policyVersion || record.samples !== samples || record.questions !== questions) {
      say(
        id,
        `is avg@${record.samples} of v${record.policyVersion} on ${record.questions}: expected avg@${samples} of v${policyVersion} on ${questions}`,
      );
    }
  }
  const others = [...records.evaluations.keys()].filter((id) => !planned.has(id));
  if (others.length > 0) findings.note(`${others.length} evaluations beyond the plan, checked by their own records`);
}

function checkIterations(
  findings: Findings,
  planned: readonly ExpectedIteration[],
  records: ReadonlyMap<string, IterationDocument>,
  isFinished: boolean,
): void {
  let open: string | null = null;
  for (const { id, stage, iteration, learner, policyVersion, questions } of planned) {
    const record = records.get(id);
    findings.saw('plan');
    if (record === undefined) {
      if (isFinished) findings.found('plan', id, 'is missing');
      open ??= id;
      continue;
    }
    if (open !== null && !isFinished) findings.found('plan', id, `is recorded and ${open}, before it, is not`);
    const said = [record.stage, record.iteration, record.learner, record.policyIn, record.policyOut].join(' ');
    const wanted = [stage, iteration, learner, policyVersion, policyVersion + 1].join(' ');
    if (said !== wanted) {
      findings.found('plan', id, `says stage, iteration, learner, policy in and out are ${said}: expected ${wanted}`);
    }
    if (record.questions.length !== questions) {
      findings.found('plan', id, `drew ${record.questions.length} questions: expected ${questions}`);
    }
  }
  const known = new Set(planned.map(({ id }) => id));
  for (const id of records.keys()) if (!known.has(id)) findings.found('plan', id, 'has no place in the plan');
}

function checkStages(
  findings: Findings,
  run: RunDocument,
  planned: readonly ExpectedIteration[],
  { stages, iterations }: Records,
  isFinished: boolean,
): void {
  const byNumber = new Map(stages.map((record) => [record.stage, record]));
  for (const { stage, learner, iterations: count } of run.plan.stages) {
    const own = planned.filter((each) => each.stage === stage);
    const done = own.filter(({ id }) => iterations.has(id)).length;
    const record = byNumber.get(stage);
    const id = stageId(run._id, stage);
    findings.saw('plan');
    if (record === undefined) {
      if (done > 0 || isFinished) findings.found('plan', id, 'is missing');
      continue;
    }
    if (record.learner !== learner || record.iterations !== count) {
      findings.found('plan', id, `is ${record.learner} × ${record.iterations}: expected ${learner} × ${count}`);
    }
    const policyOut = own.at(-1)!.policyVersion + 1;
    if (isFinished && record.policyOut !== policyOut) {
      findings.found('plan', id, `ended with v${record.policyOut}: expected v${policyOut}`);
    }
  }
}

/** Committed draws, in order: within each pass over the data no question comes twice. */
export function checkDraws(
  findings: Findings,
  run: RunDocument,
  planned: readonly ExpectedIteration[],
  records: ReadonlyMap<string, IterationDocument>,
): void {
  const total = run.plan.trainQuestions;
  const prefix = `${run.datasets.train.digest}/`;
  let drawn = 0;
  let pass = new Set<number>();
  for (const { id, questions } of planned) {
    for (const name of records.get(id)?.questions ?? []) {
      const index = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : NaN;
      findings.saw('questions');
      if (!(index >= 0 && index < total))
        findings.found('questions', id, `drew '${name}', which is not in its dataset`);
      else if (pass.has(index)) findings.found('questions', id, `drew question ${index} again in the same pass`);
      pass.add(index);
      if (++drawn % total === 0) pass = new Set();
    }
    if (!records.has(id)) {
      // An open iteration: its draws are not known, and nothing after it is committed.
      drawn += questions;
      pass = new Set();
    }
  }
}
