/**
 * What a run's document says of recipe and decisions, after a rollback: what is done again is done with the recipe and the rate
 * in force now, and must be repaired with those.
 */
import type { RunDocument } from '../store/documents.ts';

/** `to`: the version that the run is rolled back to, null: none; `iterations`: those that are undone. */
export function recordAfter(
  { changes = [], decisions = [] }: Pick<RunDocument, 'changes' | 'decisions'>,
  to: number | null,
  iterations: readonly string[],
): Required<Pick<RunDocument, 'changes' | 'decisions'>> {
  return {
    changes: changes.map((change) => {
      const { fromVersion } = change;
      const isLater = fromVersion !== null && (to === null || fromVersion > to);
      return isLater ? { ...change, fromVersion: to } : change;
    }),
    decisions: decisions.map((decision) =>
      iterations.includes(decision.about) ? { ...decision, undone: true } : decision,
    ),
  };
}
