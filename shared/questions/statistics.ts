/** What a set of questions holds, in numbers. */
import type { Question } from '../domain/question.ts';
import { normalisedText } from './normalise.ts';

export interface Spread {
  min: number;
  median: number;
  mean: number;
  max: number;
}

export interface QuestionStatistics {
  count: number;
  math: number;
  stdio: number;
  call: number;
  /** Characters of the text. */
  textLength: Spread;
  /** Tests a code question; null without code. */
  tests: Spread | null;
  /** Null where no question has a difficulty. */
  difficulty: (Spread & { known: number }) | null;
  /** Count by kind, largest first; `(none)` where the source gave none. */
  kinds: readonly { kind: string; count: number }[];
  /** Share of gold answers that are whole numbers, of math questions; null without math. */
  wholeNumberGold: number | null;
  /** Questions whose normalised text an earlier one has. */
  repeatedTexts: number;
}

export function questionStatistics(questions: readonly Question[]): QuestionStatistics {
  const kinds = new Map<string, number>();
  const texts = new Set<string>();
  const golds: string[] = [];
  const tests: number[] = [];
  const difficulties: number[] = [];
  let stdio = 0;
  for (const { kind, text, verifier, difficulty } of questions) {
    kinds.set(kind ?? '(none)', (kinds.get(kind ?? '(none)') ?? 0) + 1);
    texts.add(normalisedText(text));
    if (difficulty !== null) difficulties.push(difficulty);
    if (verifier.type === 'math') golds.push(verifier.gold);
    else if (verifier.type === 'code') {
      tests.push(verifier.tests.length);
      if (verifier.style === 'stdio') stdio += 1;
    }
  }
  const whole = golds.filter((gold) => /^\$?\s*-?\d[\d,]*\s*\$?$/.test(gold)).length;
  const spreadOf = spread(difficulties);
  return {
    count: questions.length,
    math: golds.length,
    stdio,
    call: tests.length - stdio,
    textLength: spread(questions.map(({ text }) => text.length)) ?? { min: 0, median: 0, mean: 0, max: 0 },
    tests: spread(tests),
    difficulty: spreadOf === null ? null : { ...spreadOf, known: difficulties.length },
    kinds: [...kinds]
      .map(([kind, count]) => ({ kind, count }))
      .sort((a, b) => b.count - a.count || (a.kind < b.kind ? -1 : 1)),
    wholeNumberGold: golds.length === 0 ? null : whole / golds.length,
    repeatedTexts: questions.length - texts.size,
  };
}

/** Median of an even count is the mean of the middle two. Null for no values. */
export function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return {
    min: sorted[0]!,
    median,
    mean: values.reduce((a, b) => a + b, 0) / values.length,
    max: sorted[sorted.length - 1]!,
  };
}
