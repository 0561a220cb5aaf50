/**
 * Seeded short math word problems for the toy recipe. A number combination belongs to one split only, whatever the
 * wording and the kind, so no held-out question repeats the numbers of a training question. Knows no files and no models.
 */
import type { Question } from '../domain/question.ts';
import { DomainError } from '../errors.ts';
import { hash32 } from '../random.ts';
import { createDraws, type Draws } from './draws.ts';
import { objects, people, toyKinds, work, type ToyKind } from './kinds.ts';

export type ToySplit = 'train' | 'held-out';

/** A question with what made it, for the generators of examples. */
export interface ToyProblem {
  kind: ToyKind;
  numbers: readonly number[];
  text: string;
  answer: number;
  id: string;
}

/** One number combination in five is held out. Fixed for ever: the split must not depend on a run's seed. */
export const splitOf = (numbers: readonly number[]): ToySplit =>
  hash32(`toy-split/${numbers.join(',')}`, 1) % 5 === 0 ? 'held-out' : 'train';

const drawLimit = 1000;

/** One problem of the split. Kinds are equally likely. */
export function drawToyProblem(draws: Draws, split: ToySplit, kinds: readonly ToyKind[] = toyKinds): ToyProblem {
  const kind = draws.pick(kinds);
  let numbers = kind.draw(draws);
  for (let attempt = 1; splitOf(numbers) !== split; attempt++) {
    if (attempt === drawLimit) {
      throw new DomainError(
        'InvalidInput',
        `no numbers of kind '${kind.name}' fall into split '${split}' in ${drawLimit} draws`,
      );
    }
    numbers = kind.draw(draws);
  }
  const person = draws.pick(people);
  const object = draws.pick(objects);
  const wording = draws.between(0, kind.templates.length - 1);
  const text = kind.templates[wording]!.replace(/\bN\b|\bO\b|\$\d/g, (mark) =>
    mark === 'N' ? person : mark === 'O' ? object : String(numbers[Number(mark[1])]!),
  );
  return {
    kind,
    numbers,
    text,
    answer: work(kind.plan, numbers).at(-1)!.result,
    id: `toy-${kind.name}-${numbers.join('-')}-${person}-${object}-${wording}`.toLowerCase(),
  };
}

/**
 * `count` questions with different texts. The same `seedKey` gives the same questions, and a larger count only adds.
 * Throws `InvalidInput` where `count` is not a positive whole number or more than the split holds.
 */
export function generateToyQuestions(request: { seedKey: string; count: number; split: ToySplit }): Question[] {
  const { seedKey, count, split } = request;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new DomainError('InvalidInput', `toy questions: count is ${count}; expected a whole number from 1`, {
      count,
    });
  }
  const byText = new Map<string, Question>();
  for (let index = 0; byText.size < count; index++) {
    if (index >= 50 * count + drawLimit) {
      throw new DomainError(
        'InvalidInput',
        `toy questions: split '${split}' gave ${byText.size} different texts in ${index} draws; expected ${count}. Ask for fewer.`,
        { count, split },
      );
    }
    const problem = drawToyProblem(createDraws(`${seedKey}/${split}/${index}`), split);
    if (byText.has(problem.text)) continue;
    byText.set(problem.text, {
      id: problem.id,
      text: problem.text,
      kind: problem.kind.name,
      difficulty: problem.kind.difficulty,
      verifier: { type: 'math', gold: String(problem.answer) },
    });
  }
  return [...byText.values()];
}
