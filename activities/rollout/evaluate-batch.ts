/** Questions of an evaluation: k fresh designs each, every valid one executed once. Stored questions are not repeated. */
import type { EvaluateBatchInput, EvaluateBatchResult } from '../../shared/domain/tasks.ts';
import type { Attempt } from '../boundary.ts';
import type { RolloutDeps } from './context.ts';
import { executeDesign } from './execute-design.ts';
import { sampleDesigns } from './sample-designs.ts';
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
      const sampled = await sampleDesigns(deps, { ...batch, ...slot, designs: samples }, signal);
      const executed = await together(
        signal,
        sampled.valid.map(
          (design) => (own) =>
            executeDesign(deps, { ...batch, ...slot, design, executions: 1 }, { ...attempt, signal: own }),
        ),
      );
      attempt.progress({ questions: ++done, of: slots.length });
      return { calls: executed.reduce((sum, result) => sum + result.calls, 0), validDesigns: sampled.valid.length };
    }),
  );
  return {
    calls: results.reduce((sum, result) => sum + result.calls, 0),
    validDesigns: results.reduce((sum, result) => sum + result.validDesigns, 0),
  };
}
