/** What one batch sampled, counted once when its iteration is recorded, so that pages over hundreds of them stay fast. */
import type { IterationFacts } from './store/documents.ts';
import type { Store } from './store/connect.ts';

/** Name under which designs that may not run are counted among the patterns. */
export const invalidPattern = 'invalid';

export async function readBatchFacts(
  store: Store,
  batchId: string,
): Promise<Omit<IterationFacts, 'startedAt' | 'rolloutMs'>> {
  const [designs, executions] = await Promise.all([
    store.designs.find({ batchId }, { projection: { outcome: 1, structure: 1, responseTokens: 1 } }).toArray(),
    store.executions.find({ batchId }, { projection: { outcome: 1, usage: 1 } }).toArray(),
  ]);
  const patterns: Record<string, number> = {};
  const outcomes: Record<string, number> = {};
  for (const { outcome, structure } of designs) {
    const pattern = outcome === 'valid' ? (structure?.pattern ?? 'plain') : invalidPattern;
    patterns[pattern] = (patterns[pattern] ?? 0) + 1;
  }
  for (const { outcome } of executions) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return {
    patterns,
    outcomes,
    designerTokens: designs.reduce((sum, { responseTokens }) => sum + responseTokens, 0),
    executorTokens: executions.reduce((sum, { usage }) => sum + usage.responseTokens, 0),
  };
}
