/** Which calls of executions the journal has lost: what a script was shown must be there, call by call. */
import type { StructureTrace } from '../../shared/script/trace.ts';
import type { CallDocument, ExecutionDocument } from '../store/documents.ts';

/** Fields of executions and calls that it takes. */
export const executionFields = { designId: 1, 'trace.calls.call': 1, 'trace.calls.status': 1 } as const;
export const callFields = { executionId: 1, call: 1 } as const;

/**
 * Lost calls by execution. The journal may hold more than a script was shown: what was answered when it ended, and what an
 * earlier start of it had asked.
 */
export function lostCalls(
  executions: readonly Pick<ExecutionDocument, '_id' | 'trace'>[],
  calls: readonly Pick<CallDocument, 'executionId' | 'call'>[],
): Map<string, number> {
  const journaled = new Set(calls.map(({ executionId, call }) => `${executionId}#${call}`));
  const lost = new Map<string, number>();
  for (const { _id, trace } of executions) {
    const count = shownCalls({ trace }).filter(({ call }) => !journaled.has(`${_id}#${call}`)).length;
    if (count > 0) lost.set(_id, count);
  }
  return lost;
}

/** Calls whose answer the script was shown. */
export const shownCalls = ({ trace }: Pick<ExecutionDocument, 'trace'>) =>
  (trace as StructureTrace).calls.filter(({ status }) => status !== null);
