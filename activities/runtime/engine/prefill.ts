/**
 * Prompts of waiting calls → first logits and cache rows. Identical prompts run once; prompts of one padded length share
 * a graph run. Knows no calls and no slots.
 */
import { cacheWindowMultiple } from '../../../shared/model/interface.ts';
import { fewestRows } from './decode-cache.ts';
import type { Resident } from './resident.ts';
import { intTensor } from './session.ts';
import type { Feeds } from './session.ts';

export interface PrefilledPrompt {
  promptIds: Int32Array;
  /** Indices of the calls that have this prompt. */
  calls: number[];
}

export interface PrefillRun {
  prompts: PrefilledPrompt[];
  /** Padded length. */
  width: number;
  outputs: Feeds;
}

const paddedLength = (length: number) => cacheWindowMultiple * Math.ceil(length / cacheWindowMultiple);

/** Equal prompts as one, in order of first appearance. */
function distinct(prompts: readonly Int32Array[]): PrefilledPrompt[] {
  const byIds = new Map<string, PrefilledPrompt>();
  prompts.forEach((promptIds, call) => {
    const key = promptIds.join();
    const known = byIds.get(key);
    if (known === undefined) byIds.set(key, { promptIds, calls: [call] });
    else known.calls.push(call);
  });
  return [...byIds.values()];
}

/** Runs one graph for each group of equal padded length, of at most `maxTokens` cells. */
export async function* prefill(
  resident: Resident,
  prompts: readonly Int32Array[],
  maxTokens: number,
): AsyncGenerator<PrefillRun> {
  const session = await resident.graphs.prefill();
  const waiting = distinct(prompts).sort((a, b) => a.promptIds.length - b.promptIds.length);
  while (waiting.length > 0) {
    const width = paddedLength(waiting[0]!.promptIds.length);
    const fitting = waiting.findIndex(({ promptIds }) => promptIds.length > width);
    const most = Math.max(1, Math.floor(maxTokens / width));
    const group = waiting.splice(0, Math.min(fitting < 0 ? waiting.length : fitting, most));
    const rows = Math.max(group.length, fewestRows);
    const ids = new Int32Array(rows * width);
    const lengths = new Int32Array(rows).fill(1);
    group.forEach(({ promptIds }, row) => {
      ids.set(promptIds, row * width);
      lengths[row] = promptIds.length;
    });
    const outputs = await session.run({
      ...resident.feeds,
      input_ids: intTensor(ids, [rows, width]),
      lengths: intTensor(lengths, [rows]),
    });
    yield { prompts: group, width, outputs };
  }
}
