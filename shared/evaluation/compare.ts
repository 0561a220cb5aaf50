/** Two systems on the same questions: the difference of their avg@k, question by question, with its interval. */
import { DomainError } from '../errors.ts';
import { intervalsOf } from './bootstrap.ts';
import type { Interval } from './bootstrap.ts';

export interface Measurement {
  /** Named in failures. */
  id: string;
  dataset: { digest: string };
  samples: number;
  perQuestion: readonly { question: string; correct: number }[];
}

export interface PairedComparison {
  /** Mean over questions of avg@k of the first minus that of the second, in [-1, 1]. */
  difference: number;
  /** 95 %, bootstrap over questions. */
  interval: Interval;
  questions: number;
  /** Questions on which the first was right more often, equally often, less often. */
  better: number;
  equal: number;
  worse: number;
}

/** Throws `InvalidInput` where the questions are not the same. */
export function compareMeasurements(first: Measurement, second: Measurement): PairedComparison {
  const other = new Map(second.perQuestion.map((row) => [row.question, row.correct / second.samples]));
  const same =
    first.dataset.digest === second.dataset.digest &&
    other.size === first.perQuestion.length &&
    first.perQuestion.every(({ question }) => other.has(question));
  if (!same) {
    throw new DomainError(
      'InvalidInput',
      `${first.id} (${first.perQuestion.length} questions of ${first.dataset.digest.slice(0, 8)}) and ${second.id} (${second.perQuestion.length} of ${second.dataset.digest.slice(0, 8)}) did not answer the same questions: a paired comparison needs that. Measure both with the same --questions and --limit`,
      { first: first.id, second: second.id },
    );
  }
  const differences = first.perQuestion.map(({ question, correct }) => correct / first.samples - other.get(question)!);
  const count = (test: (difference: number) => boolean) => differences.filter(test).length;
  return {
    difference: differences.reduce((total, value) => total + value, 0) / differences.length,
    interval: intervalsOf({ difference: differences }, `compare/${first.dataset.digest}`).difference,
    questions: differences.length,
    better: count((difference) => difference > 0),
    equal: count((difference) => difference === 0),
    worse: count((difference) => difference < 0),
  };
}
