/**
 * Whether questions held out for evaluation also stand in the training set: the same normalised text, or a share of
 * common word n-grams. Finds copies and light edits, not paraphrases.
 */
import type { Question } from '../domain/question.ts';
import { normalisedText, wordGrams } from './normalise.ts';

export interface ContaminationOptions {
  /** Words in a gram. */
  gramLength: number;
  /** Share of a held-out question's grams found in one training question from which the pair is reported, in (0, 1]. */
  threshold: number;
}
export const contaminationDefaults: ContaminationOptions = { gramLength: 8, threshold: 0.5 };

export interface Contamination {
  heldOutId: string;
  trainId: string;
  /** 1 for the same normalised text; else the share of common grams. */
  overlap: number;
  same: boolean;
}

/** One entry a contaminated held-out question: the training question it overlaps most. In the held-out set's order. */
export function findContamination(
  train: readonly Question[],
  heldOut: readonly Question[],
  options: Partial<ContaminationOptions> = {},
): Contamination[] {
  const { gramLength, threshold } = { ...contaminationDefaults, ...options };
  const byText = new Map<string, string>();
  const byGram = new Map<string, number[]>();
  const wanted = new Set<string>();
  const held = heldOut.map((question) => {
    const text = normalisedText(question.text);
    const grams = wordGrams(text, gramLength);
    for (const gram of grams) wanted.add(gram);
    return { id: question.id, text, grams };
  });
  train.forEach((question, index) => {
    const text = normalisedText(question.text);
    if (!byText.has(text)) byText.set(text, question.id);
    for (const gram of wordGrams(text, gramLength)) {
      if (!wanted.has(gram)) continue;
      const list = byGram.get(gram);
      if (list === undefined) byGram.set(gram, [index]);
      else list.push(index);
    }
  });
  return held.flatMap(({ id, text, grams }): Contamination[] => {
    const twin = byText.get(text);
    if (twin !== undefined) return [{ heldOutId: id, trainId: twin, overlap: 1, same: true }];
    const best = mostShared(grams, byGram);
    if (best === null || best.count / grams.size < threshold) return [];
    return [{ heldOutId: id, trainId: train[best.index]!.id, overlap: best.count / grams.size, same: false }];
  });
}

function mostShared(
  grams: ReadonlySet<string>,
  byGram: ReadonlyMap<string, readonly number[]>,
): { index: number; count: number } | null {
  const counts = new Map<number, number>();
  for (const gram of grams) for (const index of byGram.get(gram) ?? []) counts.set(index, (counts.get(index) ?? 0) + 1);
  let best: { index: number; count: number } | null = null;
  for (const [index, count] of counts) if (best === null || count > best.count) best = { index, count };
  return best;
}
