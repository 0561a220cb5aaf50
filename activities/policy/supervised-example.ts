/** A conversation and its wanted response as token ids: exactly what sampling would have to produce. */
import type { ChatMessage } from '../../shared/domain/sampling.ts';
import { DomainError } from '../../shared/errors.ts';
import type { SupervisedExample } from '../runtime/engine/contract.ts';
import type { PolicyTokenizer } from '../runtime/tokenizer/policy-tokenizer.ts';

/** The response ends with the template's end-of-turn token. Throws `UnsupportedModel` if the template rewrites prompts. */
export function supervisedExample(
  tokenizer: PolicyTokenizer,
  id: string,
  messages: readonly ChatMessage[],
  response: string,
): SupervisedExample {
  const promptIds = tokenizer.encodeChat(messages);
  const whole = tokenizer.encodeChat([...messages, { role: 'assistant', content: response }], {
    addGenerationPrompt: false,
  });
  const isPrefix = promptIds.every((token, index) => whole[index] === token);
  const rest = whole.subarray(promptIds.length);
  const end = rest.findIndex((token) => tokenizer.endOfTurnIds.includes(token));
  if (!isPrefix || end < 0) {
    throw new DomainError(
      'UnsupportedModel',
      'the chat template does not continue a prompt with the response and an end-of-turn token',
      { id },
    );
  }
  return { id, promptIds, responseIds: rest.slice(0, end + 1) };
}
