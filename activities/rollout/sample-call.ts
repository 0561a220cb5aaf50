/** One model call of a script, said by the executor's speaker within the call's limits. */
import type { SamplingSettings } from '../../shared/domain/sampling.ts';
import type { HostAnswer, ModelCall } from '../runtime/script/contract.ts';
import type { Said, Speaker } from './speaker.ts';

/** `most`: sampling of the executor; a call may allow fewer tokens. Rejects as the speaker does. */
export async function sampleCall(
  speaker: Speaker,
  most: SamplingSettings,
  { messages, maxPromptTokens, maxResponseTokens }: ModelCall,
  seedKey: string,
  signal: AbortSignal,
): Promise<{ answer: HostAnswer; trajectory: Said['trajectory'] }> {
  const sampling = { ...most, maxTokens: Math.min(most.maxTokens, maxResponseTokens) };
  const { trajectory, ...said } = await speaker.say({ messages, sampling, seedKey, maxPromptTokens }, signal);
  return { answer: said.status === 'prompt-too-long' ? { ...said, answer: null } : said, trajectory };
}
