import type { EngineOptions, EnginePromises } from './contract.ts';

/** What an engine of these options promises of its results (docs/engine.md). */
export const promisesOf = ({ decodeThreads, executionProvider }: EngineOptions): EnginePromises => ({
  batchInvariant: decodeThreads === 1,
  // Sums on a card have no fixed order.
  bitReproducibleUpdates: executionProvider === 'cpu',
});
