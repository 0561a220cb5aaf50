/** How tokens are drawn. Stored with every call; log-probs are of the distribution these settings give. */
export interface SamplingSettings {
  /** 0 means greedy. */
  temperature: number;
  /** Nucleus mass in (0, 1]; 1 keeps all. */
  topP: number;
  /** 0 keeps all. */
  topK: number;
  /** Smallest probability relative to the largest, in [0, 1); 0 keeps all. */
  minP: number;
  /** Tokens of the response, at most. */
  maxTokens: number;
  /** Generation ends after the token that completes one of these; the text keeps it out. */
  stopStrings: readonly string[];
}

export type FinishReason = 'stop' | 'length';

/** What one model request sampled. `logProbs[i]` belongs to `tokenIds[i]`; the end-of-turn token is included. */
export interface SampledTokens {
  tokenIds: Int32Array;
  logProbs: Float32Array;
  finishReason: FinishReason;
}

/** One turn of a conversation as the chat template sees it. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}
