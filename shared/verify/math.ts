/**
 * Judges a math answer: extraction from raw model text, then comparison with the gold answer. The steps, cheapest first:
 * whole numbers as written; identical notation; multiple-choice letters; reading both into formulas and comparing those
 * (exactly where they are rational, by sampling elsewhere); words. The rules are in docs/verification.md.
 */
import type { Verdict } from '../domain/question.ts';
import { canonicalText, cleanAnswer } from './read/clean.ts';
import { sameAnswer } from './compare/compare.ts';
import { extractAnswer, hashAnswer, joinedBoxes, lastBoxed } from './extract-answer.ts';
import type { Node } from './expression.ts';
import { parseAnswer } from './read/parse.ts';
import { hasCommaPair, rightSide, variantsOf } from './read/variants.ts';
import type { Side } from './read/variants.ts';
import { sameChoice, sameClock, sameWords } from './compare/words.ts';

/** Longer answers are compared as text only: what stands in the text, white space folded. */
const longestText = 3000;
/** Longer ones are not read as formulas. */
const longestFormula = 1500;

/** Verdict of `responseText` (raw model text) against `gold` (an answer, or a text that holds one). Never throws. */
export function verifyMath(gold: string, responseText: string): Verdict {
  const answer = extractAnswer(responseText);
  if (answer === null) return { correct: false, ratio: 0, answer, how: 'no-answer' };
  const how = firstRule(
    goldTexts(gold),
    (text) => compareAnswers(text, answer) ?? compareJoined(text, responseText, answer),
  );
  return { correct: how !== null, ratio: how === null ? 0 : 1, answer, how: how ?? 'different' };
}

function firstRule(golds: readonly string[], compare: (gold: string) => string | null): string | null {
  for (const gold of golds) {
    const how = compare(gold);
    if (how !== null) return how;
  }
  return null;
}

/** Whether two extracted answers name the same value. */
export function answersEqual(a: string, b: string): boolean {
  return compareAnswers(a, b) !== null;
}

/** The gold answer, and where the text is long, what it ends in too: it may be a worked solution. */
function goldTexts(gold: string): string[] {
  const boxed = lastBoxed(gold);
  if (boxed !== null) return [joinedBoxes(gold) ?? boxed];
  const marked = hashAnswer(gold);
  if (marked !== null) return [marked];
  const ending = gold.length > 200 ? extractAnswer(gold) : null;
  return ending === null || ending === gold ? [gold] : [gold, ending];
}

/** Several boxes side by side (`\boxed{1} and \boxed{2}`) are one list: tried only after the last box alone failed. */
function compareJoined(goldAnswer: string, response: string, answer: string): string | null {
  const joined = joinedBoxes(response);
  if (joined !== null && joined !== answer) return compareAnswers(goldAnswer, joined);
  return null;
}

/** The rule that proved equality, or null. */
export function compareAnswers(gold: string, answer: string): string | null {
  const [x, y] = [folded(gold), folded(answer)];
  const [wholeGold, wholeAnswer] = [wholeNumber(x), wholeNumber(y)];
  if (wholeGold !== null && wholeAnswer !== null) return wholeGold === wholeAnswer ? 'integer' : null;
  if (Math.max(x.length, y.length) > longestText) return x === y ? 'text' : null;
  const [g, a] = [cleanAnswer(x), cleanAnswer(y)];
  if (g === '' || a === '') return null;
  const [goldLetters, answerLetters] = [canonicalText(g), canonicalText(a)];
  if (goldLetters === answerLetters && goldLetters !== '') return wholeGold !== null ? 'integer' : 'text';
  const choice = sameChoice(g, a);
  if (choice !== null) return choice ? 'choice' : null;
  const time = sameClock(g, a);
  if (time !== null) return time ? 'time' : null;
  const commas = !(hasCommaPair(g) && hasCommaPair(a));
  const answers = readings(a, 'answer', commas);
  for (const x of readings(g, 'gold', commas))
    for (const y of answers) {
      const how = sameAnswer(x, y);
      if (how !== null) return how;
    }
  return sameWords(g, a) ? 'text' : null;
}

/** One line; a line that begins a new assignment is an item of its own. */
const folded = (text: string) =>
  text
    .trim()
    .replace(/(?<=[^\s,;=\\&])\s*\n\s*(?=\$?[a-zA-Z](?:_\w|_\{\w+\})?\s*=)/g, ', ')
    .replace(/\s+/g, ' ');

/** Canonical digits of a plain whole number, or null; the hot path of integer benchmarks. */
function wholeNumber(text: string): string | null {
  const match = /^\s*\$?\s*([+-]?)0*(\d{1,400})\.?\s*\$?\s*$/.exec(text);
  if (match === null) return null;
  return match[2] === '0' || match[1] !== '-' ? match[2]! : `-${match[2]!}`;
}

/** The trees of a text's variants; where none can be read, of what stands right of its last equals sign. */
function readings(clean: string, side: Side, commas: boolean): Node[] {
  if (clean.length > longestFormula) return [];
  const nodes = parsed(variantsOf(clean, side, commas));
  const right = nodes.length === 0 ? rightSide(clean) : null;
  return right === null ? nodes : parsed(variantsOf(right, side, commas));
}

function parsed(texts: readonly string[]): Node[] {
  return texts.flatMap((text) => {
    try {
      return [parseAnswer(text)];
    } catch {
      return [];
    }
  });
}
