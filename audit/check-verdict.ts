/**
 * One verdict: there is one for a reply and none without, its reward follows from it, and where gold and answer are plain
 * numbers the verdict is what exact arithmetic says. Other forms are judged by the verifier alone; they are counted.
 */
import type { Question } from '../shared/domain/question.ts';
import type { RunDocument, VerdictDocument } from '../activities/store/documents.ts';
import type { Findings } from './report.ts';
import type { ExecutionFacts } from './tree.ts';

/** Reward terms that the auditor can recompute. */
const known = ['correctness', 'answered'];

export function checkVerdict(
  findings: Findings,
  run: RunDocument,
  execution: ExecutionFacts,
  document: VerdictDocument,
  question: Question | undefined,
): void {
  const { verdict } = document;
  const id = document._id;
  if ((verdict === null) !== (execution.reply === null)) {
    const has = execution.reply === null ? 'has no reply and a verdict' : 'has a reply and no verdict';
    findings.found('verdicts', id, has);
  }
  if (execution.outcome !== 'replied' && execution.reply !== null) {
    findings.found('verdicts', id, `ended as ${execution.outcome} and has a reply`);
  }
  if (verdict !== null && question?.verifier.type === 'math') {
    const right = plainlyEqual(question.verifier.gold, verdict.answer);
    if (right === null) findings.note('answers that are not plain numbers were judged by the verifier alone');
    else if (right !== verdict.correct || verdict.ratio !== (right ? 1 : 0)) {
      const said = `${verdict.correct ? 'right' : 'wrong'} (${verdict.ratio})`;
      findings.found('verdicts', id, `'${verdict.answer}' against '${question.verifier.gold}' was judged ${said}`);
    }
  }
  checkReward(findings, run, document);
}

function checkReward(findings: Findings, run: RunDocument, { _id: id, verdict, reward, terms }: VerdictDocument): void {
  const weights = run.recipe.reward as Record<string, number>;
  for (const name of Object.keys(weights)) {
    if (!known.includes(name)) findings.note(`the reward term '${name}' is summed and not recomputed`);
  }
  const value = (name: string) => terms.filter(({ term }) => term === name).reduce((sum, term) => sum + term.value, 0);
  const expected: Record<string, number> = {
    correctness: (weights.correctness ?? 0) * (verdict?.ratio ?? 0),
    answered: verdict?.answer == null ? 0 : (weights.answered ?? 0),
  };
  for (const name of known) {
    findings.holds(near(value(name), expected[name]!), 'rewards', id, () => {
      return `term '${name}' is ${value(name)}: expected ${expected[name]}`;
    });
  }
  const sum = terms.reduce((total, term) => total + term.value, 0);
  findings.holds(near(reward, sum), 'rewards', id, () => `reward ${reward} is not the sum of its terms, ${sum}`);
}

/** Equal up to the rounding of a sum taken in another order. */
export const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));

const plain = /^-?\d{1,15}(\.\d{1,9})?$/;

/** Exact comparison of two decimal numbers; null where either is of another form. */
export function plainlyEqual(gold: string, answer: string | null): boolean | null {
  if (answer === null || !plain.test(gold) || !plain.test(answer)) return null;
  return canonical(gold) === canonical(answer);
}

function canonical(text: string): string {
  const [whole, fraction = ''] = text.replace(/^-/, '').split('.');
  const digits = `${whole!.replace(/^0+(?=\d)/, '')}.${fraction.replace(/0+$/, '')}`;
  return digits === '0.' || !text.startsWith('-') ? digits : `-${digits}`;
}
