/** The examples of a cold start, by the recipe's kind of it and by the part of the policy that learns them. */
import type { ChatMessage } from '../../shared/domain/sampling.ts';
import type { Recipe } from '../../shared/config/recipe.ts';
import { generateColdStartExamples } from '../../shared/toy/cold-start.ts';
import type { PolicyPart } from '../store/documents.ts';

export type ColdStart = Extract<Recipe['coldStart'], { type: 'toy' }>;

export interface ColdStartExample {
  id: string;
  messages: readonly ChatMessage[];
  response: string;
}

/** Deterministic in (settings, seed). A split policy's part gets its own role's examples only. */
export function coldStartExamples(coldStart: ColdStart, seed: number, part: PolicyPart): ColdStartExample[] {
  return generateColdStartExamples({
    seedKey: `${seed}/cold-start`,
    count: coldStart.examples,
    designerShare: coldStart.designerShare,
  })
    .filter((example) => part === 'shared' || example.role === part)
    .map(({ messages, response }, index) => ({ id: `example-${index}`, messages, response }));
}
