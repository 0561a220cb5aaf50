/** An evaluation's name says what was measured, so that the same command finds the same evaluation again. */
export interface Measured {
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

/** `v24-k3-n64-1a2b3c4d`, `v24-k3-n64-1a2b3c4d-2`. */
export function evaluationName({ policyVersion, samples, dataset, questions, repetition }: Measured): string {
  const parts = [`v${policyVersion}`, `k${samples}`, `n${questions}`, dataset.slice(0, 8)];
  return [...parts, ...(repetition > 1 ? [String(repetition)] : [])].join('-');
}
