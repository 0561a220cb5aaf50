/** The examples of a cold start, by the recipe's kind of it and by the part of the policy that learns them. */
import type { ChatMessage } from '../../shared/domain/sampling.ts';
import type { Recipe } from '../../shared/config/recipe.ts';
import { generateColdStartExamples } from '../../shared/toy/cold-start.ts';
import { readExamples } from '../coldstart/read-set.ts';
import type { Store } from '../store/connect.ts';
import type { PolicyPart } from '../store/documents.ts';

export type ColdStart = Exclude<Recipe['coldStart'], { type: 'none' }>;

export interface ColdStartExample {
  id: string;
  messages: readonly ChatMessage[];
  response: string;
}

/** Deterministic in (settings, seed, set). A split policy's part gets its own role's examples only. */
export async function coldStartExamples(
  store: Store,
  coldStart: ColdStart,
  seed: number,
  part: PolicyPart,
): Promise<ColdStartExample[]> {
  const all = coldStart.type === 'set' ? await readExamples(store, coldStart.set) : generated(coldStart, seed);
  return all
    .filter(({ role }) => part === 'shared' || role === part)
    .map(({ messages, response }, index) => ({ id: `example-${index}`, messages, response }));
}

const generated = (coldStart: Extract<ColdStart, { type: 'toy' }>, seed: number) =>
  generateColdStartExamples({
    seedKey: `${seed}/cold-start`,
    count: coldStart.examples,
    designerShare: coldStart.designerShare,
  });
