/**
 * Which questions an iteration gets: consecutive entries of a seeded permutation, a new one for each pass over the data.
 * The cursor is the number of questions drawn before, so no draw is ever repeated or lost (workflow state is enough).
 */
import { permutation } from '../random.ts';

/** Indices into the training questions for draws `cursor` to `cursor + count - 1`. */
export function drawQuestions(seed: number, total: number, cursor: number, count: number): number[] {
  const orders = new Map<number, number[]>();
  return Array.from({ length: count }, (_, offset) => {
    const draw = cursor + offset;
    const pass = Math.floor(draw / total);
    let order = orders.get(pass);
    if (order === undefined) orders.set(pass, (order = permutation(`${seed}/questions/pass-${pass}`, total)));
    return order[draw % total]!;
  });
}
