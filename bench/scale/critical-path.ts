/**
 * The least time that an iteration can take by its model calls (and scripts) alone: questions in a window, each as long as
 * the slowest of its designs with that design's slowest execution. What the wall clock shows beyond it is Temporal's, the store's and
 * the processors' share. Calls of one execution that overlapped count as one, as long as the longest.
 */
import type { GenerateLine, ScriptLine, TraceLine, UpdateLine } from './trace.ts';

const most = (values: Iterable<number>) => Math.max(0, ...values);
const group = <Item>(items: readonly Item[], keyOf: (item: Item) => string | undefined) => {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
};

/** Time of a chain of calls, of which some were made side by side. */
export function chainMs(calls: readonly Pick<GenerateLine, 'startMs' | 'ms'>[]): number {
  let [total, longest, end] = [0, 0, -Infinity];
  for (const { startMs, ms } of [...calls].sort((a, b) => a.startMs - b.startMs)) {
    if (startMs >= end) {
      total += longest;
      longest = 0;
    }
    longest = Math.max(longest, ms);
    end = Math.max(end, startMs + ms);
  }
  return total + longest;
}

/** Makespan of tasks that start in order, at most `width` at once. */
export function windowMs(tasks: readonly number[], width: number): number {
  const lanes = new Array<number>(Math.min(width, Math.max(1, tasks.length))).fill(0);
  for (const ms of tasks) {
    const first = lanes.indexOf(Math.min(...lanes));
    lanes[first]! += ms;
  }
  return most(lanes);
}

export interface IterationPath {
  /** Of the questions' model calls in their window. */
  modelMs: number;
  /** The same with the scripts' own time, dry runs included. */
  withScriptsMs: number;
  updateMs: number;
  calls: number;
}

/** `place`: `stage-01/iter-001`; `fromMs` and `toMs` bound the iteration, for updates name no place. */
export function iterationPath(
  lines: readonly TraceLine[],
  { place, width, fromMs, toMs }: { place: string; width: number; fromMs: number; toMs: number },
): IterationPath {
  const pathOf = (text: string) => text.split(`${place}/`)[1];
  const calls = lines.filter(
    (line): line is GenerateLine => line.kind === 'generate' && pathOf(line.seedKey) !== undefined,
  );
  const scripts = lines.filter((line): line is ScriptLine => line.kind === 'script');
  const own = scripts.filter(({ executionId }) => pathOf(executionId) !== undefined);
  const ownMs = new Map(own.map((line) => [pathOf(line.executionId)!, line.ownMs]));
  const dryMs = group(
    scripts.filter(({ executionId }) => executionId.startsWith('dry-run')),
    ({ question }) => question,
  );
  const textOf = new Map(own.map(({ executionId, question }) => [pathOf(executionId)!.split('/')[0]!, question]));
  const questions = [...group(calls, ({ seedKey }) => pathOf(seedKey)!.split('/')[0])].sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const lengths = questions.map(([question, list]) => {
    const dry = most((dryMs.get(textOf.get(question) ?? '') ?? []).map(({ ms }) => ms));
    const designs = [...group(list, ({ seedKey }) => /^(.*?\/d-\d+)/.exec(pathOf(seedKey)!)?.[1]).values()].map(
      (own) => {
        const sampled = most(own.filter(({ seedKey }) => !seedKey.includes('/e-')).map(({ ms }) => ms));
        const executions = [...group(own, ({ seedKey }) => /^(.*?\/e-\d+)\//.exec(pathOf(seedKey)!)?.[1])];
        return {
          model: sampled + most(executions.map(([, chain]) => chainMs(chain))),
          scripted: sampled + dry + most(executions.map(([id, chain]) => chainMs(chain) + (ownMs.get(id) ?? 0))),
        };
      },
    );
    const [model, scripted] = [most(designs.map((own) => own.model)), most(designs.map((own) => own.scripted))];
    return { model, scripted };
  });
  const updates = lines.filter(
    (line): line is UpdateLine => line.kind === 'update' && line.startMs >= fromMs && line.startMs <= toMs,
  );
  return {
    modelMs: windowMs(
      lengths.map(({ model }) => model),
      width,
    ),
    withScriptsMs: windowMs(
      lengths.map(({ scripted }) => scripted),
      width,
    ),
    updateMs: updates.reduce((sum, { ms }) => sum + ms, 0),
    calls: calls.length,
  };
}
