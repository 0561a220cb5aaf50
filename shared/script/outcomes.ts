/**
 * The closed lists of how a design can be refused and how an execution can end. Both are data about a model's text:
 * stored, counted and rewarded by rule. Infrastructure failures are not here (`shared/errors.ts`).
 */

/** What checking a Designer's reply can find. */
export const designOutcomes = [
  /** Passed every check. */
  'valid',
  /** The reply holds no script (documented form: no closed fenced block). */
  'no-script',
  'script-too-long',
  'syntax-error',
  /** `import`, `with`, and other syntax that the language leaves out. */
  'forbidden-syntax',
  /** A name that neither the script nor the language defines. */
  'unknown-name',
  /** An option or an argument that a node builder does not take. */
  'bad-argument',
  /** No `return` with a value in the script's own body. */
  'missing-return',
  'literal-too-long',
  /** A loop or a recursion that builds nodes and cannot end. */
  'unbounded-design',
  /** Every stubbed answer shape made the script throw. */
  'dry-run-error',
  /** Every stubbed answer shape ended at a limit. */
  'dry-run-limit',
  /** Every stubbed answer shape ended without a reply of a node or tool. */
  'dry-run-no-reply',
] as const;
export type DesignOutcome = (typeof designOutcomes)[number];

/** How an execution can end. Only `replied` carries a reply that a verifier may judge. */
export const executionOutcomes = [
  /** The script returned a reply that the host issued (or, where allowed, its own text). */
  'replied',
  /** The returned reply has status `failed`. */
  'failed-reply',
  /** The script returned text or an object of its own making. */
  'authored-answer',
  /** The script returned nothing. */
  'no-reply',
  /** The script threw, or its text does not parse. */
  'script-error',
  /** The script awaits something that nothing will settle. */
  'waits-for-nothing',
  'call-limit',
  'tool-call-limit',
  'pending-call-limit',
  'prompt-token-limit',
  'response-token-limit',
  'total-token-limit',
  'cpu-limit',
  'memory-limit',
  'wall-limit',
  'script-length-limit',
  'request-length-limit',
  /** The re-run script asked for something else than the journal holds: run again with an empty journal, once. */
  'journal-diverged',
] as const;
export type ExecutionOutcome = (typeof executionOutcomes)[number];

/** Where and why, in the Designer's own text. Lines count from 1, columns from 1. */
export interface ScriptProblem {
  message: string;
  line: number | null;
  column: number | null;
}
