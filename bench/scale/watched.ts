/** The engine and the script pool of a worker, with what they did written down. Results are theirs, unchanged. */
import type { ThreadedEngine } from '../../activities/runtime/engine/create-engine.ts';
import type { ScriptPool, ScriptRun } from '../../activities/runtime/script/contract.ts';
import { nowMs } from './trace.ts';
import type { Trace } from './trace.ts';

export const watchedEngine = (engine: ThreadedEngine, trace: Trace): ThreadedEngine => ({
  ...engine,
  async generate(request, control) {
    const startMs = nowMs();
    const made = await engine.generate(request, control);
    const tokens = { promptTokens: request.promptIds.length, responseTokens: made.tokenIds.length };
    const { seedKey } = request;
    trace.write({ kind: 'generate', seedKey, startMs, ms: nowMs() - startMs, ...tokens, tokenIds: [...made.tokenIds] });
    return made;
  },
  async update(request, control) {
    const startMs = nowMs();
    const made = await engine.update(request, control);
    trace.write({ kind: 'update', startMs, ms: nowMs() - startMs });
    return made;
  },
});

export const watchedScripts = (pool: ScriptPool, trace: Trace): ScriptPool => ({
  dryRun: (request) => pool.dryRun(request),
  close: () => pool.close(),
  async run(request) {
    const { executionId, question } = request;
    const startMs = nowMs();
    const { watched, outsideMs } = watchOutside(request);
    const outcome = await pool.run(watched);
    const ms = nowMs() - startMs;
    trace.write({ kind: 'script', executionId, question, ms, ownMs: ms - outsideMs() });
    return outcome;
  },
});

/** `outsideMs`: how long at least one call or one journal write of the script was under way. */
function watchOutside(request: ScriptRun): { watched: ScriptRun; outsideMs: () => number } {
  let [open, since, total] = [0, 0, 0];
  const watching = async <Result>(task: () => Promise<Result>): Promise<Result> => {
    if (open++ === 0) since = nowMs();
    try {
      return await task();
    } finally {
      if (--open === 0) total += nowMs() - since;
    }
  };
  const { perform, record } = request;
  return {
    watched: {
      ...request,
      perform: (call, signal) => watching(() => perform(call, signal)),
      ...(record === undefined ? {} : { record: (entry) => watching(() => record(entry)) }),
    },
    outsideMs: () => total,
  };
}
