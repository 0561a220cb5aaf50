/** The formats by name. */
import { DomainError } from '../../errors.ts';
import { parseGeneric } from '../jsonl.ts';
import { apps } from './apps.ts';
import { codecontests } from './codecontests.ts';
import type { QuestionFormat } from './format.ts';
import { livecodebench } from './livecodebench.ts';
import { aime, dapo, gsm8k, math, polaris } from './math-sets.ts';
import { olympiad } from './olympiad.ts';

const generic: QuestionFormat = {
  name: 'generic',
  about: 'question|problem|input|prompt with answer|target|solution, or with tests; also a written questions file',
  parse: (record, place) => parseGeneric(record, place),
};

export const questionFormats: readonly QuestionFormat[] = [
  aime,
  olympiad,
  gsm8k,
  math,
  dapo,
  polaris,
  livecodebench,
  apps,
  codecontests,
  generic,
];

/** Throws `InvalidInput` with the known names. */
export function questionFormat(name: string): QuestionFormat {
  const found = questionFormats.find((format) => format.name === name.toLowerCase());
  if (found !== undefined) return found;
  const known = questionFormats.map((format) => format.name).join(', ');
  throw new DomainError('InvalidInput', `unknown questions format '${name}': expected one of ${known}`, { name });
}
