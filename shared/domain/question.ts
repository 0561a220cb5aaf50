/** A problem with its verifier. The gold answer and the expected outputs never reach a script or a sandbox. */
export interface Question {
  /** Position-independent id, unique in its file. */
  id: string;
  text: string;
  /** What kind of problem, where the source says so; for stratified tables only. */
  kind: string | null;
  /** Larger is harder, where the source says so. */
  difficulty: number | null;
  verifier: MathVerifier | CodeVerifier | OpenVerifier;
}

export interface MathVerifier {
  type: 'math';
  gold: string;
}

/** Nobody knows the answer: a question that was asked, not one that is trained or scored on. */
export interface OpenVerifier {
  type: 'none';
}

/** `stdio`: input on stdin, expected stdout. `call`: arguments for `functionName`, expected return value (JSON). */
export interface CodeVerifier {
  type: 'code';
  style: 'stdio' | 'call';
  functionName: string | null;
  starterCode: string | null;
  /** `call` only: `lines` has one JSON argument a line, `array` one JSON array of them; absent: told by the arity. */
  argumentsForm?: 'lines' | 'array';
  tests: readonly CodeTest[];
  /** How an output is compared with the expected one; `checker`: by the question's own function. */
  compare: 'exact' | 'whitespace' | 'numeric' | 'checker';
  /** JavaScript function expression `(input, expected, output) => boolean`; present exactly where `compare` says so. */
  checker?: string;
  timeLimitMs: number;
  memoryLimitMb: number;
}

export interface CodeTest {
  input: string;
  expected: string;
}

/** What a verifier found. `ratio` is in [0, 1]: 0 or 1 for math, passed/total for code. */
export interface Verdict {
  correct: boolean;
  ratio: number;
  /** The answer that was judged, after extraction; null when none was found. */
  answer: string | null;
  /** Which rule decided, for the reader (`integer`, `rational`, `decimal`, `text`, `tests`, `no-answer`). */
  how: string;
}
