/** Forms of collected cold-start sets. */
import { z } from 'zod';
import type { SftExampleDocument, SftSetDocument } from '../documents.ts';
import {
  chatMessage,
  count,
  counts,
  dataset,
  identity,
  modelCost,
  object,
  promptForm,
  role,
  text,
  texts,
} from './form.ts';
import type { Fields } from './form.ts';

export const sftSet: Fields<SftSetDocument> = {
  ...identity,
  batchId: text,
  teacher: object<SftSetDocument['teacher']>({ url: text, model: text }),
  dataset,
  promptForm,
  prompts: texts,
  asked: count,
  questions: count,
  cost: modelCost,
  examples: object<SftSetDocument['examples']>({ designer: count, executor: count }),
  leftOut: counts,
};

export const sftExample: Fields<SftExampleDocument> = {
  ...identity,
  setId: text,
  role,
  question: text,
  source: text,
  messages: z.array(chatMessage),
  response: text,
};
