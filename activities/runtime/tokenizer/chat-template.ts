/**
 * Conversations as text, by the model's own Jinja chat template (tokenizer_config.json) or, where it has none, the ChatML form
 * that Qwen models use. It knows no token ids.
 */
import { Template } from '@huggingface/jinja';
import type { ChatMessage } from '../../../shared/domain/sampling.ts';
import { DomainError } from '../../../shared/errors.ts';

export const chatMlTemplate =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/** The library's own would put today's date into prompts, and a retry tomorrow would be another prompt. */
const withoutClock = '{% set strftime_now = undefined %}';

export interface ChatOptions {
  /** End with the opening of the assistant's turn. */
  addGenerationPrompt: boolean;
  /** Further variables of the template, such as `enable_thinking`. */
  templateArguments?: Readonly<Record<string, unknown>>;
}

export class ChatTemplate {
  private readonly template: Template;
  private readonly tokens: Readonly<Record<string, string>>;

  /** `tokens`: names such as `bos_token` that templates refer to. */
  constructor(source: string, tokens: Readonly<Record<string, string>>) {
    try {
      this.template = new Template(withoutClock + source);
    } catch (error) {
      throw new DomainError('UnsupportedModel', `chat template does not parse: ${String(error)}`, {}, { cause: error });
    }
    this.tokens = tokens;
  }

  /** Throws `InvalidInput` where the template refuses the messages. */
  render(messages: readonly ChatMessage[], options: ChatOptions): string {
    try {
      return this.template.render({
        ...this.tokens,
        ...options.templateArguments,
        messages: messages.map((message) => ({ role: message.role, content: message.content })),
        add_generation_prompt: options.addGenerationPrompt,
      });
    } catch (error) {
      const roles = messages.map((message) => message.role).join(', ');
      throw new DomainError(
        'InvalidInput',
        `the model's chat template refused ${messages.length} messages (${roles}): ${String(error)}`,
        { roles },
        { cause: error },
      );
    }
  }
}
