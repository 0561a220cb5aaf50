/**
 * Text to token ids and back, from a model's tokenizer.json (by @huggingface/tokenizers), and conversations to prompts.
 * Text never becomes a control token: `encode` and the contents of messages that spell `<|im_end|>` are cut into ordinary
 * tokens. It knows no weights and no sampling.
 */
import type { ChatMessage } from '../../../shared/domain/sampling.ts';
import { DomainError } from '../../../shared/errors.ts';
import { ChatTemplate, chatMlTemplate, type ChatOptions } from './chat-template.ts';
import { createHubTokenizer, type HubTokenizer } from './hub-tokenizer.ts';
import { cutText, guardText, unusedCharacter } from './special-tokens.ts';
import { isByteLevel, tokenBytes } from './token-bytes.ts';

/** What a model brings of its tokenizer. */
export interface TokenizerTexts {
  tokenizerJson: string;
  tokenizerConfigJson?: string;
  /** Ids that end a turn besides those that the texts name (generation_config.json). */
  endOfTurnIds?: readonly number[];
}

interface AddedTokenRecord {
  id: number;
  content: string;
  special?: boolean;
  normalized?: boolean;
}
interface TokenizerRecord {
  added_tokens?: AddedTokenRecord[];
  decoder?: unknown;
  model?: { type?: unknown };
}
type ConfigRecord = Record<string, unknown>;

/** Control tokens that end a turn in the model families this project knows. */
const turnEnds = ['<|im_end|>', '<|endoftext|>', '<|eot_id|>', '<|end_of_text|>', '</s>', '<|end|>'];

/** A token is written as its text or as a record with `content`. */
function tokenText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'content' in value && typeof value.content === 'string') {
    return value.content;
  }
  return null;
}

function parseJson(text: string, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw new DomainError('UnsupportedModel', `${file} is not JSON: ${String(error)}`, { file }, { cause: error });
  }
  throw new DomainError('UnsupportedModel', `${file} holds no JSON object; expected a Hugging Face ${file}`, { file });
}

/** The template named `default` where the file lists several. */
function chatTemplateText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return null;
  const named = value.find((entry: unknown) => (entry as { name?: unknown } | null)?.name === 'default') as
    { template?: unknown } | undefined;
  return typeof named?.template === 'string' ? named.template : null;
}

export class PolicyTokenizer {
  /** One more than the largest token id. */
  readonly vocabSize: number;
  /** Ids after which a response is over, ascending. */
  readonly endOfTurnIds: readonly number[];
  /** Ids that are control tokens. */
  readonly specialIds: ReadonlySet<number>;
  private readonly tokenizer: HubTokenizer;
  private readonly byteLevel: boolean;
  private readonly cleanUp: boolean;
  private readonly specials: readonly string[];
  private readonly addedIds: ReadonlySet<number>;
  /** Ids that the model can give; those without a token have no text. */
  private readonly modelVocabSize: number;
  private readonly template: ChatTemplate;
  private readonly bytesOf = new Map<number, Uint8Array>();

  private constructor(
    record: TokenizerRecord,
    config: ConfigRecord,
    ends: readonly number[],
    modelVocabSize: number | undefined,
  ) {
    const added = record.added_tokens ?? [];
    // A special token that matched after normalisation could be spelled by other characters.
    const fixed = added.map((token) => (token.special === true ? { ...token, normalized: false } : token));
    try {
      this.tokenizer = createHubTokenizer({ ...record, added_tokens: fixed }, config);
    } catch (error) {
      throw new DomainError('UnsupportedModel', `tokenizer.json is not usable: ${String(error)}`, {}, { cause: error });
    }
    const specials = added.filter((token) => token.special === true);
    this.specials = specials.map((token) => token.content);
    this.specialIds = new Set(specials.map((token) => token.id));
    this.addedIds = new Set(added.map((token) => token.id));
    let largest = -1;
    for (const id of this.tokenizer.get_vocab().values()) largest = Math.max(largest, id);
    this.vocabSize = largest + 1;
    this.modelVocabSize = modelVocabSize ?? this.vocabSize;
    if (this.vocabSize > this.modelVocabSize) {
      throw new DomainError(
        'ShapeMismatch',
        `tokenizer.json has ids up to ${largest}, the model's vocabulary (vocab_size) ends at ${this.modelVocabSize - 1}: the tokenizer belongs to another model`,
        { tokenizer: this.vocabSize, model: this.modelVocabSize },
      );
    }
    this.byteLevel = isByteLevel(record.decoder);
    // As in transformers 5: of tokens that spell spaces themselves it would take spaces out of code and answers.
    const spellsSpaces = this.byteLevel || record.model?.type === 'BPE';
    this.cleanUp = !spellsSpaces && config.clean_up_tokenization_spaces === true;
    const named = [tokenText(config.eos_token), ...turnEnds]
      .map((text) => (text === null ? undefined : this.tokenizer.token_to_id(text)))
      .filter((id): id is number => id !== undefined && this.specialIds.has(id));
    const given = ends.filter((id) => id >= 0 && id < this.modelVocabSize);
    this.endOfTurnIds = [...new Set([...named, ...given])].sort((a, b) => a - b);
    const variables = ['bos_token', 'eos_token', 'pad_token', 'unk_token'].flatMap((name) => {
      const text = tokenText(config[name]);
      return text === null ? [] : [[name, text] as const];
    });
    this.template = new ChatTemplate(
      chatTemplateText(config.chat_template) ?? chatMlTemplate,
      Object.fromEntries(variables),
    );
  }

  /** Takes the texts of tokenizer.json and tokenizer_config.json. Throws `UnsupportedModel`. */
  static load(tokenizerJson: string, tokenizerConfigJson?: string): PolicyTokenizer {
    return PolicyTokenizer.of({ tokenizerJson, tokenizerConfigJson });
  }

  /** For a model of `modelVocabSize` ids, which may be more than have a token. Throws as `load`, and `ShapeMismatch`. */
  static of(texts: TokenizerTexts, modelVocabSize?: number): PolicyTokenizer {
    const { tokenizerJson, tokenizerConfigJson, endOfTurnIds = [] } = texts;
    const config = tokenizerConfigJson === undefined ? {} : parseJson(tokenizerConfigJson, 'tokenizer_config.json');
    return new PolicyTokenizer(parseJson(tokenizerJson, 'tokenizer.json'), config, endOfTurnIds, modelVocabSize);
  }

  /** Ids of a text that may come from anywhere: a control token that it spells becomes ordinary tokens. */
  encode(text: string): Int32Array {
    return this.encodePieces(cutText(text, this.specials), false);
  }

  /** Ids of a text that this project wrote: control tokens in it are control tokens. */
  encodeControl(text: string): Int32Array {
    return this.encodePieces([text], true);
  }

  /** Text of the ids, control tokens left out unless asked for. */
  decode(ids: ArrayLike<number>, options: { keepSpecial?: boolean } = {}): string {
    const unknown = Array.from(ids).find((id) => id < 0 || id >= this.modelVocabSize);
    if (unknown !== undefined) {
      throw new DomainError(
        'InvalidInput',
        `token id ${unknown} is not in the vocabulary of ${this.modelVocabSize} tokens`,
        { unknown },
      );
    }
    const kept = Array.from(ids).filter(
      (id) =>
        (options.keepSpecial === true || !this.specialIds.has(id)) && this.tokenizer.id_to_token(id) !== undefined,
    );
    if (kept.length === 0) return '';
    return this.tokenizer.decode(kept, { clean_up_tokenization_spaces: this.cleanUp });
  }

  /** Prompt ids of a conversation, by the model's chat template. Throws `InvalidInput` on messages it refuses. */
  encodeChat(messages: readonly ChatMessage[], options: ChatOptions = { addGenerationPrompt: true }): Int32Array {
    if (messages.length === 0) {
      throw new DomainError('InvalidInput', 'a conversation needs at least one message; it has none');
    }
    const contents = messages.map((message) => message.content);
    const guard = unusedCharacter(contents);
    if (guard === null) {
      throw new DomainError(
        'InvalidInput',
        'the messages hold every private-use character; remove one of U+E000 to U+F8FF',
      );
    }
    const guarded = messages.map((message) => ({
      ...message,
      content: guardText(message.content, this.specials, guard),
    }));
    return this.encodePieces(this.template.render(guarded, options).split(guard), true);
  }

  /** Exact bytes of a token, empty for control tokens; null where the tokenizer is not byte-level. */
  bytes(id: number): Uint8Array | null {
    if (!this.byteLevel) return null;
    let bytes = this.bytesOf.get(id);
    if (bytes === undefined) {
      const token = this.specialIds.has(id) ? undefined : this.tokenizer.id_to_token(id);
      bytes = token === undefined ? new Uint8Array(0) : tokenBytes(token, this.addedIds.has(id));
      this.bytesOf.set(id, bytes);
    }
    return bytes;
  }

  private encodePieces(pieces: readonly string[], control: boolean): Int32Array {
    const ids: number[] = [];
    for (const piece of pieces) {
      if (piece.length === 0) continue;
      for (const id of this.tokenizer.encode(piece, { add_special_tokens: false }).ids) ids.push(id);
    }
    const strange = ids.findIndex((id) => !Number.isInteger(id) || (!control && this.specialIds.has(id)));
    if (strange >= 0) {
      throw new DomainError(
        'InvalidInput',
        `the text has a part that the vocabulary cannot spell (token ${strange}); use a byte-level tokenizer`,
        { token: strange },
      );
    }
    return Int32Array.from(ids);
  }
}
