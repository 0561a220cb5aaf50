/**
 * One question's rollout (paper section 3.1): M designs, each valid one executed N times as soon as it is durable. What is
 * stored already is not done again.
 */
import type { Batch, RollOutResult, Slot } from '../../shared/domain/tasks.ts';
import type { Attempt } from '../boundary.ts';
import type { RolloutDeps } from './context.ts';
import { executeDesign } from './execute-design.ts';
import { withDesigns } from './sample-designs.ts';

export async function rollOut(
  deps: RolloutDeps,
  input: Batch & Slot & { designs: number; executions: number },
  attempt: Attempt,
): Promise<RollOutResult> {
  const { executions, ...asked } = input;
  const { designs: _designs, ...own } = asked;
  let [sampled, executed] = [0, 0];
  const results = await withDesigns(deps, asked, attempt.signal, async ({ design, outcome, draft }, signal) => {
    attempt.progress({ sampled: ++sampled, executed });
    if (outcome !== 'valid') return [];
    const result = await executeDesign(deps, { ...own, design, executions }, { ...attempt, signal }, draft);
    attempt.progress({ sampled, executed: ++executed });
    return [{ design, ...result }];
  });
  const valid = results.flat();
  return { valid, invalid: results.length - valid.length };
}
