/** Text of a sampled response: without its end-of-turn token, cut at the stop string that ended it. */
import type { SampledTokens, SamplingSettings } from '../../shared/domain/sampling.ts';
import type { PolicyTokenizer } from '../runtime/tokenizer/policy-tokenizer.ts';
import { cutAtStop } from '../runtime/tokenizer/stop-matcher.ts';

export function sampledText(tokenizer: PolicyTokenizer, sampled: SampledTokens, sampling: SamplingSettings): string {
  const { tokenIds } = sampled;
  const last = tokenIds.at(-1);
  const ended = last !== undefined && tokenizer.endOfTurnIds.includes(last);
  return cutAtStop(tokenizer.decode(ended ? tokenIds.subarray(0, -1) : tokenIds), sampling.stopStrings);
}
