/**
 * The small files of a Hugging Face folder: they are kept whole, byte for byte, and given back by an export. What the
 * program itself reads of them is config.json, the tokenizer with its chat template, and the ids that end a turn.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../../shared/errors.ts';
import type { TokenizerTexts } from '../../runtime/tokenizer/policy-tokenizer.ts';

const required = ['config.json', 'tokenizer.json'] as const;
const optional = [
  'added_tokens.json',
  'chat_template.jinja',
  'generation_config.json',
  'merges.txt',
  'special_tokens_map.json',
  'tokenizer_config.json',
  'vocab.json',
] as const;
export type SideFileName = (typeof required)[number] | (typeof optional)[number];

export interface SideFiles {
  readonly texts: ReadonlyMap<SideFileName, string>;
  /** config.json, parsed. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly tokenizer: TokenizerTexts;
}

/** Throws `InvalidInput` where a file is missing and `UnsupportedModel` where one is not what it should be. */
export async function readSideFiles(directory: string): Promise<SideFiles> {
  const texts = new Map<SideFileName, string>();
  for (const name of [...required, ...optional]) {
    const text = await readFile(join(directory, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
      throw error;
    });
    if (text !== null) texts.set(name, text);
    else if ((required as readonly string[]).includes(name)) {
      throw new DomainError(
        'InvalidInput',
        `'${directory}' has no ${name}: expected a Hugging Face model folder with config.json, tokenizer.json and safetensors files. Check the path, or download the model there.`,
        { directory, file: name },
      );
    }
  }
  return { texts, config: jsonObject(texts, 'config.json'), tokenizer: tokenizerTexts(texts) };
}

function jsonObject(texts: ReadonlyMap<SideFileName, string>, name: SideFileName): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(texts.get(name) ?? '{}');
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw new DomainError('UnsupportedModel', `${name} is not JSON: ${String(cause)}`, { name }, { cause });
  }
  throw new DomainError('UnsupportedModel', `${name} holds no JSON object`, { name });
}

/** What a tokenizer needs of the files; `chat_template.jinja` wins over the template in tokenizer_config.json. */
export function tokenizerTexts(texts: ReadonlyMap<SideFileName, string>): TokenizerTexts {
  const template = texts.get('chat_template.jinja');
  const config = jsonObject(texts, 'tokenizer_config.json');
  // As transformers makes a generation_config.json where there is none.
  const source = texts.has('generation_config.json') ? 'generation_config.json' : 'config.json';
  const ends = jsonObject(texts, source).eos_token_id;
  const endIds = (Array.isArray(ends) ? ends : [ends]).filter((id): id is number => Number.isSafeInteger(id));
  return {
    tokenizerJson: texts.get('tokenizer.json')!,
    tokenizerConfigJson: JSON.stringify(template === undefined ? config : { ...config, chat_template: template }),
    endOfTurnIds: endIds,
  };
}
