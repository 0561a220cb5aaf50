/** An evaluation's name says what was measured, so that the same command finds the same evaluation again. */
import type { Budget } from '../systems/system.ts';

export interface Measured {
  /** Which system, with its budget and settings. */
  label: string;
  policyVersion: number;
  /** k. */
  samples: number;
  /** Digest of the questions. */
  dataset: string;
  /** Questions used; the first so many. */
  questions: number;
  /** Which asking of the same, from 1: each has fresh designs. */
  repetition: number;
}

/** `metaagentx`, `self-consistency-calls8`. */
export const systemLabel = (system: string, budget: Budget | null): string =>
  `${system}${budget === null ? '' : `-${budget.unit}${budget.amount}`}`;

/** `v24-k3-n64-1a2b3c4d`, `v24-self-consistency-calls8-k3-n64-1a2b3c4d-2`. */
export function evaluationName({ label, policyVersion, samples, dataset, questions, repetition }: Measured): string {
  const parts = [
    `v${policyVersion}`,
    ...(label === 'metaagentx' ? [] : [label]),
    `k${samples}`,
    `n${questions}`,
    dataset.slice(0, 8),
  ];
  return [...parts, ...(repetition > 1 ? [String(repetition)] : [])].join('-');
}
