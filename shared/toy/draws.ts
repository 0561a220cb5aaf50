/** Draws in sequence from one path: for generators that make a whole item at a time. Knows nothing of what is drawn. */
import { createStream } from '../random.ts';

export interface Draws {
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** Whole number in [low, high]. */
  between(low: number, high: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** One key, with probability proportional to its weight. Weights are not negative and not all zero. */
  weighted<Key extends string>(weights: Readonly<Record<Key, number>>): Key;
}

/** The same path gives the same sequence of draws. */
export function createDraws(path: string): Draws {
  const stream = createStream(path);
  let counter = 0;
  const uniform = () => stream.uniform(counter++);
  return {
    chance: (probability) => uniform() < probability,
    between: (low, high) => low + Math.floor(uniform() * (high - low + 1)),
    pick: (items) => items[Math.floor(uniform() * items.length)]!,
    weighted(weights) {
      const keys = Object.keys(weights) as (keyof typeof weights)[];
      let left = uniform() * keys.reduce((sum, key) => sum + weights[key], 0);
      for (const key of keys) {
        left -= weights[key];
        if (left < 0) return key;
      }
      return keys.findLast((key) => weights[key] > 0)!;
    },
  };
}
