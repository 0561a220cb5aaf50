/** The body of a chat completion → text, why it ended, and what it took. */
import { z } from 'zod';

export interface Completion {
  text: string;
  finishReason: 'stop' | 'length';
  promptTokens: number;
  responseTokens: number;
}

const tokens = z.int().min(0);
const completionSchema = z.object({
  choices: z
    .array(z.object({ message: z.object({ content: z.string().nullish() }), finish_reason: z.string().nullish() }))
    .min(1),
  usage: z.object({ prompt_tokens: tokens, completion_tokens: tokens }),
});

/** What is wrong with the body as a text, e.g. `not JSON`. A refusal of the model is an empty reply. */
export function readCompletion(body: string): Completion | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return 'the reply is not JSON';
  }
  const checked = completionSchema.safeParse(parsed);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    return `the reply is no chat completion (${issue!.path.join('.')}: ${issue!.message})`;
  }
  const { choices, usage } = checked.data;
  const [{ message, finish_reason }] = choices as [(typeof choices)[0]];
  return {
    text: message.content ?? '',
    finishReason: finish_reason === 'length' ? 'length' : 'stop',
    promptTokens: usage.prompt_tokens,
    responseTokens: usage.completion_tokens,
  };
}
