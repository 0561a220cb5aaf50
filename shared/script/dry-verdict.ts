/**
 * What a dry run says about a design. A design passes when it ends with a reply on at least one shape of answers: a
 * script may rightly depend on what its agents say, but one that fails whatever they say is refused.
 */
import type { DesignProblem } from './check.ts';
import type { DesignOutcome, ExecutionOutcome, ScriptProblem } from './outcomes.ts';

export interface DryRunShape {
  shape: string;
  outcome: ExecutionOutcome;
  error: ScriptProblem | null;
}

function refusalOf(outcome: ExecutionOutcome): DesignOutcome {
  if (outcome === 'script-error') return 'dry-run-error';
  return outcome.endsWith('-limit') ? 'dry-run-limit' : 'dry-run-no-reply';
}

/** Null when the design passes; else the refusal, from the first shape. */
export function judgeDryRun(shapes: readonly DryRunShape[]): DesignProblem | null {
  const [first] = shapes;
  if (first === undefined || shapes.some(({ outcome }) => outcome === 'replied')) return null;
  const reason = first.error?.message ?? first.outcome;
  return {
    outcome: refusalOf(first.outcome),
    message: `with ${first.shape} answers: ${reason} (${first.outcome})`,
    line: first.error?.line ?? null,
    column: first.error?.column ?? null,
  };
}
