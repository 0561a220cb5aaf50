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
  const designs = [...tree.designs.values()];
  const executions = [...tree.executions.values()];
  const correct = rolloutsOf(tree.batch).map(
    (rollout) =>
      [...tree.verdicts.values()].filter((each) => each.rolloutId === rollout && each.verdict?.correct === true).length,
  );
  record.perQuestion.forEach(({ question, correct: said }, slot) => {
    findings.holds(said === correct[slot], 'metrics', record._id, () => {
      return `counts ${said} right samples of question '${question}': verdicts give ${correct[slot]}`;
    });
  });
  const total = (pick: (usage: { calls: number; responseTokens: number }) => number) =>
    executions.reduce((sum, { usage }) => sum + pick(usage), 0);
  compareNumbers(findings, record._id, record.metrics, {
    average: mean(correct.map((count) => count / record.samples)),
    validDesigns: designs.filter(({ outcome }) => outcome === 'valid').length / designs.length,
    callsPerQuestion: total(({ calls }) => calls) / record.questions,
    responseTokensPerQuestion: total(({ responseTokens }) => responseTokens) / record.questions,
  });
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
