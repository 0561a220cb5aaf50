/**
 * Prompts of waiting calls → first logits and cache rows. Identical prompts run once; prompts of one padded length share
 * a graph run. Knows no calls and no slots.
 */
import { fewestRows } from './decode-cache.ts';
import type { GenerationSessions } from './generation-sessions.ts';
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

/** Prompts are padded to a multiple of this: little is wasted, and prompts of about one length still share a run. */
const widthMultiple = 32;

/** Of the prompt alone, so that its result does not depend on the others. */
const paddedLength = (length: number) => widthMultiple * Math.ceil(length / widthMultiple);

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
  generation: GenerationSessions,
  prompts: readonly Int32Array[],
  maxTokens: number,
): AsyncGenerator<PrefillRun> {
  const session = await generation.prefill();
  const waiting = distinct(prompts).sort((a, b) => a.promptIds.length - b.promptIds.length);
  while (waiting.length > 0) {
    const width = paddedLength(waiting[0]!.promptIds.length);
    const fitting = waiting.findIndex(({ promptIds }) => promptIds.length > width);
    const most = Math.max(1, Math.floor(maxTokens / width));
    const group = waiting.splice(0, Math.min(fitting < 0 ? waiting.length : fitting, most));
    const ids = new Int32Array(group.length * width);
    const last = new Int32Array(Math.max(group.length, fewestRows));
    group.forEach(({ promptIds }, row) => {
      ids.set(promptIds, row * width);
      last[row] = row * width + promptIds.length - 1;
    });
    const outputs = await session.run({
      ...generation.feeds,
      input_ids: intTensor(ids, [group.length, width]),
      last: intTensor(last, [last.length]),
    });
    yield { prompts: group, width, outputs };
  }
}
