/**
 * Choosing questions: filter, dedupe, split, mix. Every choice is a draw keyed by seed and question id, so it does not
 * depend on the file's order, and a question added later moves no other.
 */
import { DomainError } from '../errors.ts';
import type { Question } from '../domain/question.ts';
import { uniform } from '../random.ts';
import { normalisedText } from './normalise.ts';

export interface QuestionFilter {
  minDifficulty?: number | undefined;
  maxDifficulty?: number | undefined;
  /** Kept kinds; empty or absent keeps all. */
  kinds?: readonly string[] | undefined;
}

/** With a difficulty bound, questions without a difficulty are left out. */
export function filterQuestions(questions: readonly Question[], filter: QuestionFilter): Question[] {
  const { minDifficulty, maxDifficulty, kinds } = filter;
  return questions.filter((question) => {
    const bounded = minDifficulty !== undefined || maxDifficulty !== undefined;
    if (bounded && question.difficulty === null) return false;
    const d = question.difficulty ?? 0;
    if (bounded && (d < (minDifficulty ?? -Infinity) || d > (maxDifficulty ?? Infinity))) return false;
    return kinds === undefined || kinds.length === 0 || (question.kind !== null && kinds.includes(question.kind));
  });
}

/** Keeps the first of each normalised text. */
export function dedupeQuestions(questions: readonly Question[]): {
  kept: Question[];
  dropped: { id: string; sameAs: string }[];
} {
  const first = new Map<string, string>();
  const kept: Question[] = [];
  const dropped: { id: string; sameAs: string }[] = [];
  for (const question of questions) {
    const text = normalisedText(question.text);
    const earlier = first.get(text);
    if (earlier === undefined) {
      first.set(text, question.id);
      kept.push(question);
    } else dropped.push({ id: question.id, sameAs: earlier });
  }
  return { kept, dropped };
}

/** `ratio` of the questions (rounded, at least one on each side) go to `first`; both keep the file's order. */
export function splitQuestions(
  questions: readonly Question[],
  ratio: number,
  seed: string,
): { first: Question[]; second: Question[] } {
  if (!(ratio > 0 && ratio < 1)) throw invalid(`split ratio is ${ratio}, expected a number above 0 and below 1`);
  if (questions.length < 2) throw invalid(`cannot split ${questions.length} question(s): expected at least 2`);
  const count = Math.min(questions.length - 1, Math.max(1, Math.round(questions.length * ratio)));
  const chosen = new Set(drawOrder(questions, `questions/split/${seed}`).slice(0, count));
  return { first: questions.filter((q) => chosen.has(q)), second: questions.filter((q) => !chosen.has(q)) };
}

export interface MixSource {
  name: string;
  questions: readonly Question[];
  /** Relative share of the mix. */
  weight: number;
}

/**
 * `total` questions in the sources' shares (largest remainders), drawn without repeats and shuffled together. Null takes
 * as many as the shares allow. Throws `InvalidInput` where a source has too few, or two sources share an id.
 */
export function mixQuestions(sources: readonly MixSource[], total: number | null, seed: string): Question[] {
  const sum = sources.reduce((s, source) => s + source.weight, 0);
  for (const { name, weight, questions } of sources) {
    if (!(weight > 0)) throw invalid(`weight of '${name}' is ${weight}, expected a number above 0`);
    if (questions.length === 0) throw invalid(`'${name}' has no question left to mix`);
  }
  const size = total ?? Math.floor(Math.min(...sources.map((s) => (s.questions.length * sum) / s.weight)));
  if (!Number.isInteger(size) || size < 1) throw invalid(`mix size is ${size}, expected a whole number above 0`);
  const counts = shares(
    sources.map((source) => (source.weight / sum) * size),
    size,
  );
  const picked = sources.flatMap(({ name, questions }, i) => {
    if (counts[i]! > questions.length) {
      throw invalid(
        `'${name}' has ${questions.length} questions but its share of ${size} is ${counts[i]}: ask for fewer or change the weights`,
      );
    }
    return drawOrder(questions, `questions/mix/${seed}/${i}`).slice(0, counts[i]);
  });
  const ids = new Set<string>();
  for (const { id } of picked) {
    if (ids.has(id))
      throw invalid(`question id '${id}' stands in two sources: remove one copy with dedupe, or rename it`);
    ids.add(id);
  }
  return drawOrder(picked, `questions/mix/${seed}/order`);
}

/** Whole counts with the given sum, nearest to the exact shares. */
function shares(exact: readonly number[], total: number): number[] {
  const counts = exact.map(Math.floor);
  const order = exact
    .map((share, i) => ({ i, rest: share - Math.floor(share) }))
    .sort((a, b) => b.rest - a.rest || a.i - b.i);
  let missing = total - counts.reduce((a, b) => a + b, 0);
  for (const { i } of order) if (missing-- > 0) counts[i]! += 1;
  return counts;
}

function drawOrder(questions: readonly Question[], path: string): Question[] {
  return questions
    .map((question) => ({ question, draw: uniform(`${path}/${question.id}`, 0) }))
    .sort((a, b) => a.draw - b.draw || (a.question.id < b.question.id ? -1 : 1))
    .map(({ question }) => question);
}

const invalid = (message: string) => new DomainError('InvalidInput', message);
