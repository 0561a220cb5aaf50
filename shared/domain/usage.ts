/** What an execution consumed. */
export interface Usage {
  calls: number;
  promptTokens: number;
  responseTokens: number;
  toolCalls: number;
}
export const noUsage: Usage = { calls: 0, promptTokens: 0, responseTokens: 0, toolCalls: 0 };

/** What model calls consumed, of designs and agents alike. */
export interface ModelCost {
  calls: number;
  promptTokens: number;
  responseTokens: number;
}
