/**
 * The part of @huggingface/tokenizers that this project uses, typed here because the package's own declarations do not
 * resolve under Node's module rules. Knows nothing of chat or control tokens.
 */
import * as hub from '@huggingface/tokenizers';

export interface HubTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  /** `ids` may not be empty. */
  decode(ids: number[], options: { clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  /** Ids by token. */
  get_vocab(): Map<string, number>;
}

type HubModule = { Tokenizer: new (tokenizer: object, config: object) => HubTokenizer };

/** Takes the parsed tokenizer.json and tokenizer_config.json. */
export function createHubTokenizer(tokenizer: object, config: object): HubTokenizer {
  return new (hub as unknown as HubModule).Tokenizer(tokenizer, config);
}
