/**
 * Metrics of one question's k samples (docs/evaluation.md has the formulas). Each is a number in [0, 1]; an evaluation's
 * figure is the mean over questions. Knows no verifier: equality of answers is passed in.
 */
import type { QuestionSamples, Sample } from './samples.ts';

export type AnswersEqual = (left: string, right: string) => boolean;

/**
 * pass@j from n samples with c right: the chance that j drawn without replacement hold a right one,
 * 1 - C(n - c, j) / C(n, j), as a product (Chen et al. 2021, equation 1). j is from 1 to n.
 */
export function passAt(n: number, c: number, j: number): number {
  if (n - c < j) return 1;
  let allWrong = 1;
  for (let i = n - c + 1; i <= n; i++) allWrong *= 1 - j / i;
  return 1 - allWrong;
}

/**
 * majority@k: whether the answer that most samples gave is right (self-consistency over samples). Samples without an
 * answer do not vote; of equally frequent answers the one given first wins; no vote at all is wrong.
 */
export function majorityIsRight(samples: readonly Sample[], equal: AnswersEqual): boolean {
  const groups: { answer: string; votes: number; correct: boolean }[] = [];
  for (const { answer, correct } of samples) {
    if (answer === null) continue;
    const group = groups.find((each) => equal(each.answer, answer));
    if (group === undefined) groups.push({ answer, votes: 1, correct });
    else group.votes += 1;
  }
  const most = Math.max(0, ...groups.map(({ votes }) => votes));
  return groups.find(({ votes }) => votes === most)?.correct ?? false;
}

/** Named numbers of one question; `average` is avg@k, the share of right samples. `majority` is left out where answers cannot be compared. */
export function questionMetrics(
  { samples, comparable }: QuestionSamples,
  equal: AnswersEqual,
): Record<string, number> & { average: number } {
  const n = samples.length;
  const right = samples.filter(({ correct }) => correct).length;
  const passes = Array.from({ length: n }, (_, index) => [`pass@${index + 1}`, passAt(n, right, index + 1)] as const);
  return {
    average: right / n,
    ...Object.fromEntries(passes.filter((_, index) => isReported(index + 1, n))),
    ...(comparable ? { majority: Number(majorityIsRight(samples, equal)) } : {}),
  };
}

/** pass@1 is avg@k; beyond it, powers of two and k itself say enough. */
const isReported = (j: number, k: number) => j > 1 && (j === k || (j & (j - 1)) === 0);
