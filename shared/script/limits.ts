/**
 * What one design may use. Every field has an outcome of its own in `outcomes.ts`; passing one ends the execution with
 * that name, which is data (a bad design), never a failed activity. Knows nothing of isolates or models.
 */
export interface ScriptLimits {
  /** Model requests of one execution. */
  calls: number;
  /** Tool requests of one execution, by the script or by an agent. */
  toolCalls: number;
  /** Host requests that may wait at the same time. */
  pendingCalls: number;
  /** Tokens of one request's prompt. */
  promptTokensPerCall: number;
  /** Tokens of one reply; passed on as the sampling cap, where a longer reply is cut and marked `length`. */
  responseTokensPerCall: number;
  /** Prompt and response tokens of all calls together. */
  totalTokens: number;
  /** Interpreter work, in interrupt polls (about 10,000 loop steps each): the same on every machine. */
  cpuTicks: number;
  /** Time inside the interpreter; a backstop for built-ins that no poll can interrupt. */
  cpuMs: number;
  /** Heap of the isolate. */
  memoryBytes: number;
  /** From when the script first runs, waiting for answers included. */
  wallMs: number;
  /** Length of the script's text. */
  scriptChars: number;
  /** Length of one string literal in the script. */
  literalChars: number;
  /** Length of one host request as JSON. */
  requestChars: number;
}

export const defaultScriptLimits: Readonly<ScriptLimits> = {
  calls: 64,
  toolCalls: 32,
  pendingCalls: 32,
  promptTokensPerCall: 8192,
  responseTokensPerCall: 8192,
  totalTokens: 400_000,
  cpuTicks: 5_000,
  cpuMs: 2_000,
  memoryBytes: 32 * 1024 * 1024,
  wallMs: 20 * 60_000,
  scriptChars: 20_000,
  literalChars: 8_000,
  requestChars: 200_000,
};
