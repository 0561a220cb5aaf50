import { expect, it } from 'vitest';
import { tokenizerTexts } from './side-files.ts';
import type { SideFileName } from './side-files.ts';

const endsOf = (files: Partial<Record<SideFileName, unknown>>) => {
  const texts = Object.entries({ 'tokenizer.json': {}, ...files }).map(
    ([name, value]) => [name as SideFileName, JSON.stringify(value)] as const,
  );
  return tokenizerTexts(new Map(texts)).endOfTurnIds;
};

it.each([
  ['generation_config.json', { 'generation_config.json': { eos_token_id: [1, 2] } }, [1, 2]],
  ['config.json, as in transformers', { 'config.json': { eos_token_id: [1, 2] } }, [1, 2]],
  [
    'generation_config.json alone where it is there',
    { 'generation_config.json': { eos_token_id: 3 }, 'config.json': { eos_token_id: [1, 2] } },
    [3],
  ],
  ['neither', { 'config.json': { eos_token_id: null } }, []],
])('ids that end a turn come from %s', (_, files, ids) => {
  expect(endsOf(files)).toEqual(ids);
});
