/**
 * How work on a shared queue is ordered: a person who waits for one answer comes first, a measurement next, training last;
 * among equals, runs take turns (where the server has fairness switched on). Children and activities inherit it.
 */
import type { Priority } from '@temporalio/common';

const keys = { solve: 1, evaluation: 2, training: 3 } as const;
/** The server's limit, in bytes; run ids are ASCII. */
const longestFairnessKey = 64;

export const priorityOf = (work: keyof typeof keys, runId: string): Priority => ({
  priorityKey: keys[work],
  fairnessKey: runId.slice(0, longestFairnessKey),
});
