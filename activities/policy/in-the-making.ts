/**
 * Weights that an attempt makes in the engine, from the engine's work until they are found by their content. Where anything
 * fails between, nobody would use or evict them again, and every further attempt would leave weights and moments of its own.
 */
import type { PolicyEngine } from '../runtime/engine/contract.ts';

/** Does `work`, which makes weights under `name` and gives them to the residence as its last step; they go where it fails. */
export async function inTheMaking<Result>(
  engine: Pick<PolicyEngine, 'unloadPolicy'>,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    // Not waited for: the engine may be in a graph run, and who cancelled has seconds. A dead engine holds nothing.
    engine.unloadPolicy(name).catch(() => undefined);
    throw error;
  }
}
