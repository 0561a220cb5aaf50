/** What an evaluation is computed from: every question with its k samples, in order. Plain data from the database. */

/** One answering of one question: a design (or a fixed system's script) and its execution. */
export interface Sample {
  /** The verifier's word on the reply; an answering without a reply is wrong. */
  correct: boolean;
  /** Extracted answer of the reply; null without one. */
  answer: string | null;
  /** Whether there was a design that may run. */
  valid: boolean;
  /** Model calls, the Designer's own included. */
  calls: number;
  /** Of all those calls. */
  promptTokens: number;
  responseTokens: number;
}

export interface QuestionSamples {
  question: string;
  kind: string | null;
  /** Whether two answers can be compared without running them: false where the answer is a program. */
  comparable: boolean;
  /** k of them. */
  samples: readonly Sample[];
}
