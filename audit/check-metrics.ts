/** The numbers that iterations and evaluations report, recomputed from the documents of their trees. */
import type { EvaluationDocument, IterationDocument } from '../activities/store/documents.ts';
import { near } from './check-verdict.ts';
import type { Findings } from './report.ts';
import { rolloutsOf } from './tree.ts';
import type { Tree } from './tree.ts';

const mean = (values: readonly number[]) =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

export function checkIterationMetrics(findings: Findings, record: IterationDocument, tree: Tree): void {
  const designs = [...tree.designs.values()];
  const executions = [...tree.executions.values()];
  const verdicts = [...tree.verdicts.values()];
  const designRewards = designs.map(({ _id }) =>
    mean(
      executions.filter(({ designId }) => designId === _id).map((each) => tree.verdicts.get(each._id)?.reward ?? NaN),
    ),
  );
  const correct = verdicts.filter(({ verdict }) => verdict?.correct === true).length;
  const expected: Record<string, number> = {
    meanReward: mean(designRewards),
    executions: verdicts.length,
    accuracy: verdicts.length === 0 ? 0 : correct / verdicts.length,
    validDesigns: designs.filter(({ outcome }) => outcome === 'valid').length / designs.length,
    calls: executions.reduce((sum, { usage }) => sum + usage.calls, 0),
  };
  compareNumbers(findings, record._id, record.metrics, expected);
}

export function checkEvaluationMetrics(findings: Findings, record: EvaluationDocument, tree: Tree): void {
  const rows = rolloutsOf(tree.batch).map((rollout) => rowOf(tree, rollout));
  record.perQuestion.forEach((said, slot) => {
    const row: Record<string, number> = { ...rows[slot] };
    for (const [name, value] of Object.entries(row)) {
      findings.holds(said[name as keyof typeof said] === value, 'metrics', record._id, () => {
        return `counts ${said[name as keyof typeof said]} ${name} of question '${said.question}': documents give ${value}`;
      });
    }
  });
  const answers = record.questions * record.samples;
  const perAnswer = (of: keyof Row) => rows.reduce((sum, row) => sum + row[of], 0) / answers;
  const expected: Record<string, number> = {
    average: mean(rows.map(({ correct }) => correct / record.samples)),
    validDesigns: [...tree.designs.values()].filter(({ outcome }) => outcome === 'valid').length / answers,
    callsPerAnswer: perAnswer('calls'),
    promptTokensPerAnswer: perAnswer('promptTokens'),
    responseTokensPerAnswer: perAnswer('responseTokens'),
  };
  for (const name of Object.keys(record.metrics)) {
    const count = Number(/^pass@(\d+)$/.exec(name)?.[1] ?? 0);
    if (count > 0) expected[name] = mean(rows.map(({ correct }) => passAt(count, correct, record.samples)));
  }
  compareNumbers(findings, record._id, record.metrics, expected);
}

type Row = Record<'correct' | 'calls' | 'promptTokens' | 'responseTokens', number>;

/** What answering one question cost, its designs included. */
function rowOf(tree: Tree, rollout: string): Row {
  const designs = [...tree.designs.values()].filter(({ rolloutId }) => rolloutId === rollout);
  const executions = [...tree.executions.values()].filter(({ rolloutId }) => rolloutId === rollout);
  const sum = (of: 'promptTokens' | 'responseTokens') =>
    executions.reduce((total, { usage }) => total + usage[of], 0) +
    designs.reduce((total, each) => total + each[of], 0);
  return {
    correct: executions.filter(({ _id }) => tree.verdicts.get(_id)?.verdict?.correct === true).length,
    // A given script asked no model.
    calls:
      designs.filter(({ writtenBy }) => writtenBy === 'designer').length +
      executions.reduce((total, { usage }) => total + usage.calls, 0),
    promptTokens: sum('promptTokens'),
    responseTokens: sum('responseTokens'),
  };
}

/** Probability that `count` samples drawn from `of`, of which `correct` are right, hold a right one. */
function passAt(count: number, correct: number, of: number): number {
  let allWrong = 1;
  for (let drawn = 0; drawn < count; drawn++) allWrong *= Math.max(0, of - correct - drawn) / (of - drawn);
  return 1 - allWrong;
}

function compareNumbers(
  findings: Findings,
  id: string,
  said: Readonly<Record<string, number>>,
  expected: Readonly<Record<string, number>>,
): void {
  for (const [name, value] of Object.entries(expected)) {
    findings.holds(
      near(said[name] ?? NaN, value),
      'metrics',
      id,
      () => `says ${name} is ${said[name]}: documents give ${value}`,
    );
  }
}
