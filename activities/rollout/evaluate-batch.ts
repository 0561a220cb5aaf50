/** Questions of an evaluation: k fresh designs each, every valid one executed once. Stored questions are not repeated. */
import type { EvaluateBatchInput, EvaluateBatchResult } from '../../shared/domain/tasks.ts';
import type { Attempt } from '../boundary.ts';
import type { RolloutDeps } from './context.ts';
import { rollOut } from './roll-out.ts';
import { together } from './together.ts';

export async function evaluateBatch(
  deps: RolloutDeps,
  { slots, samples, ...batch }: EvaluateBatchInput,
  attempt: Attempt,
): Promise<EvaluateBatchResult> {
  let done = 0;
  const results = await together(
    attempt.signal,
    slots.map((slot) => async (signal) => {
      const quiet = { name: attempt.name, signal, progress: () => undefined };
      const { valid } = await rollOut(deps, { ...batch, ...slot, designs: samples, executions: 1 }, quiet);
      attempt.progress({ questions: ++done, of: slots.length });
      return { calls: valid.reduce((sum, result) => sum + result.calls, 0), validDesigns: valid.length };
    }),
  );
  return {
    calls: results.reduce((sum, result) => sum + result.calls, 0),
    validDesigns: results.reduce((sum, result) => sum + result.validDesigns, 0),
  };
}
