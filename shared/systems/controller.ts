/**
 * A controller that picks a script for a question: softmax over linear scores of hashed words, learned by REINFORCE from
 * what its picks earned. Plain numbers in, plain numbers out; every draw follows from a path.
 */
import { createStream } from '../random.ts';

/** Buckets that words are hashed into; the last weight of a script is its bias. */
export const featureCount = 64;

/** One row of `featureCount + 1` weights a script. */
export type ControllerWeights = readonly (readonly number[])[];

export const zeroWeights = (scripts: number): number[][] =>
  Array.from({ length: scripts }, () => new Array<number>(featureCount + 1).fill(0));

/** FNV-1a of a word's UTF-16 units. */
function bucketOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % featureCount;
}

/** Word counts by bucket, scaled to length 1, and a constant 1. Numbers count as one word: which they are does not matter. */
export function featuresOf(question: string): number[] {
  const counts = new Array<number>(featureCount).fill(0);
  for (const word of question.toLowerCase().match(/[\p{L}]+|\d+/gu) ?? []) {
    counts[bucketOf(/^\d/.test(word) ? '#' : word)]! += 1;
  }
  const length = Math.hypot(...counts) || 1;
  return [...counts.map((count) => count / length), 1];
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Probability of each script. */
export function probabilitiesOf(weights: ControllerWeights, features: readonly number[]): number[] {
  const scores = weights.map((row) => dot(row, features));
  const top = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - top));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return exponentials.map((value) => value / total);
}

/** Index of a script: drawn by `seedKey`, or the most probable one (the first of equals). */
export function pickScript(weights: ControllerWeights, question: string, seedKey: string | null): number {
  const probabilities = probabilitiesOf(weights, featuresOf(question));
  if (seedKey === null) return probabilities.indexOf(Math.max(...probabilities));
  let left = createStream(seedKey).uniform(0);
  const drawn = probabilities.findIndex((probability) => (left -= probability) < 0);
  return drawn < 0 ? probabilities.length - 1 : drawn;
}

/** Picks of one question, with what each earned. */
export interface PickedQuestion {
  question: string;
  picks: readonly { script: number; utility: number }[];
}

/**
 * One step: for every pick, weights move along (utility − mean utility of the question's picks) · ∇ log p(pick), averaged
 * over all picks.
 */
export function learnFromPicks(
  weights: ControllerWeights,
  questions: readonly PickedQuestion[],
  learningRate: number,
): number[][] {
  const next = weights.map((row) => [...row]);
  const all = questions.reduce((sum, { picks }) => sum + picks.length, 0);
  for (const { question, picks } of questions) {
    const features = featuresOf(question);
    const probabilities = probabilitiesOf(weights, features);
    const mean = picks.reduce((sum, { utility }) => sum + utility, 0) / picks.length;
    for (const { script, utility } of picks) {
      for (let row = 0; row < next.length; row++) {
        const slope = (row === script ? 1 : 0) - probabilities[row]!;
        const step = (learningRate * (utility - mean) * slope) / all;
        features.forEach((feature, i) => (next[row]![i]! += step * feature));
      }
    }
  }
  return next;
}
