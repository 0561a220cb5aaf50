import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { generateColdStartExamples } from '../../shared/toy/cold-start.ts';

const asset = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as never;
const tokenizer = new Tokenizer(asset('toy-tokenizer.json'), {});
const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids as number[];
const decode = (ids: number[]) =>
  tokenizer.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false }) as string;

describe('toy tokenizer', () => {
  it('gives the ids that the Python library gives', () => {
    for (const { text, ids } of asset('toy-tokenizer.ids.json') as { text: string; ids: number[] }[]) {
      expect(encode(text), text).toEqual(ids);
    }
  });

  it('decodes what it encoded, for generated examples and for text of any kind', () => {
    const examples = generateColdStartExamples({ seedKey: 'tokenizer-test', count: 200 });
    const texts = examples.flatMap(({ messages, response }) => [...messages.map(({ content }) => content), response]);
    for (const text of [...texts, 'naïve → 日本語 \n\t "quotes" \\boxed{3/4}']) expect(decode(encode(text))).toBe(text);
  });

  it('keeps digits apart and a design short', () => {
    expect(encode('1234')).toHaveLength(4);
    expect(encode("return ensemble([agent('steps'),agent('fast'),agent('plain')])").length).toBeLessThanOrEqual(15);
  });
});
