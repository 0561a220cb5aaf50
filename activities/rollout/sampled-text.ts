/** Text of a sampled response: without its end-of-turn token, cut at the stop string that ended it. */
import type { SampledTokens, SamplingSettings } from '../../shared/domain/sampling.ts';
import type { PolicyTokenizer } from '../runtime/tokenizer/policy-tokenizer.ts';

export function sampledText(tokenizer: PolicyTokenizer, sampled: SampledTokens, sampling: SamplingSettings): string {
  const { tokenIds } = sampled;
  const last = tokenIds.at(-1);
  const ended = last !== undefined && tokenizer.endOfTurnIds.includes(last);
  const text = tokenizer.decode(ended ? tokenIds.subarray(0, -1) : tokenIds);
  const cuts = sampling.stopStrings.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return cuts.length === 0 ? text : text.slice(0, Math.min(...cuts));
}
