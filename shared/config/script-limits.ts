/** The recipe's form of a design's limits; `shared/script/limits.ts` says what they mean and holds the defaults. */
import { z } from 'zod';
import { defaultScriptLimits } from '../script/limits.ts';
import type { ScriptLimits } from '../script/limits.ts';

const count = z.int().positive();
const limit = (name: keyof ScriptLimits) => count.default(defaultScriptLimits[name]);

export const scriptLimitsSchema = z.strictObject({
  calls: limit('calls'),
  toolCalls: limit('toolCalls'),
  pendingCalls: limit('pendingCalls'),
  promptTokensPerCall: limit('promptTokensPerCall'),
  responseTokensPerCall: limit('responseTokensPerCall'),
  totalTokens: limit('totalTokens'),
  cpuTicks: limit('cpuTicks'),
  cpuMs: limit('cpuMs'),
  memoryBytes: limit('memoryBytes'),
  wallMs: limit('wallMs'),
  scriptChars: limit('scriptChars'),
  literalChars: limit('literalChars'),
  requestChars: limit('requestChars'),
});
