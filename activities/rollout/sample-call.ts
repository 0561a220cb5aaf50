/** One model call: chat messages → token ids → engine → text. Too long a prompt is an answer, and nothing is sampled. */
import type { SampledTokens, SamplingSettings } from '../../shared/domain/sampling.ts';
import type { ResidentPolicy } from '../policy/residence.ts';
import type { PolicyEngine } from '../runtime/engine/contract.ts';
import type { HostAnswer, ModelCall } from '../runtime/script/contract.ts';
import { sampledText } from './sampled-text.ts';

export interface SampledCall {
  call: ModelCall;
  seedKey: string;
  sampling: SamplingSettings;
  promptIds: Int32Array;
  sampled: SampledTokens;
}

export interface CallSampler {
  engine: Pick<PolicyEngine, 'generate'>;
  policy: Pick<ResidentPolicy, 'engineVersion' | 'tokenizer' | 'decoder'>;
  /** Of the executor; a call may allow fewer tokens. */
  sampling: SamplingSettings;
}

/** `sampled` is null where the prompt was too long. Rejects with the engine's failures and with the signal's reason. */
export async function sampleCall(
  { engine, policy, sampling: most }: CallSampler,
  call: ModelCall,
  seedKey: string,
  signal: AbortSignal,
): Promise<{ answer: HostAnswer; sampled: SampledCall | null }> {
  const sampling = { ...most, maxTokens: Math.min(most.maxTokens, call.maxResponseTokens) };
  const promptIds = policy.tokenizer.encodeChat(call.messages);
  const promptTokens = promptIds.length;
  const room = policy.decoder.maxPositions - sampling.maxTokens;
  if (promptTokens > Math.min(call.maxPromptTokens, room)) {
    return {
      answer: { text: '', answer: null, promptTokens, responseTokens: 0, status: 'prompt-too-long' },
      sampled: null,
    };
  }
  const request = { version: policy.engineVersion, promptIds, sampling, seedKey };
  const sampled = await engine.generate(request, { signal });
  const answer: HostAnswer = {
    text: sampledText(policy.tokenizer, sampled, sampling),
    promptTokens,
    responseTokens: sampled.tokenIds.length,
    status: sampled.finishReason === 'length' ? 'length' : 'ok',
  };
  return { answer, sampled: { call, seedKey, sampling, promptIds, sampled } };
}
