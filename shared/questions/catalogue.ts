/**
 * Benchmarks that `questions pull` knows by name: where on the public hub their files lie and which loader reads them.
 * A revision other than a commit can move; the digest of what was pulled is written down and checked from then on.
 */
import { DomainError } from '../errors.ts';

export interface CatalogueEntry {
  name: string;
  /** Hub data set, `owner/name`. */
  repository: string;
  revision: string;
  files: readonly string[];
  format: string;
}

const entry = (name: string, format: string, repository: string, files: readonly string[], revision = 'main'): CatalogueEntry => ({
  name, format, repository, files, revision,
}); // prettier-ignore

export const catalogue: readonly CatalogueEntry[] = [
  entry('aime-2024', 'aime', 'HuggingFaceH4/aime_2024', ['data/train-00000-of-00001.parquet']),
  entry('aime-2025', 'aime', 'yentinglin/aime_2025', ['data/train-00000-of-00001-243207c6c994e1bd.parquet']),
  entry('gsm8k-train', 'gsm8k', 'openai/gsm8k', ['main/train-00000-of-00001.parquet']),
  entry('gsm8k-test', 'gsm8k', 'openai/gsm8k', ['main/test-00000-of-00001.parquet']),
  entry('math-500', 'math', 'HuggingFaceH4/MATH-500', ['test.jsonl']),
  entry('olympiadbench', 'olympiadbench', 'Hothan/OlympiadBench', ['OE_TO_maths_en_COMP/OE_TO_maths_en_COMP.parquet']),
  entry('dapo-math-17k', 'dapo', 'BytedTsinghua-SIA/DAPO-Math-17k', ['data/dapo-math-17k.parquet']),
  entry('polaris-53k', 'polaris', 'POLARIS-Project/Polaris-Dataset-53K', ['polaris-data-53K.parquet']),
  entry('livecodebench-v6', 'livecodebench', 'livecodebench/code_generation_lite', ['test6.jsonl']),
  entry('apps-test', 'apps', 'codeparrot/apps', ['test.jsonl']),
  entry('codecontests-test', 'codecontests', 'deepmind/code_contests', [
    'data/test-00000-of-00001-9c49eeff30aacaa8.parquet',
  ]),
];

/** Throws `InvalidInput` with the known names. */
export function catalogueEntry(name: string): CatalogueEntry {
  const found = catalogue.find((item) => item.name === name);
  if (found !== undefined) return found;
  const known = catalogue.map((item) => item.name).join(', ');
  throw new DomainError(
    'InvalidInput',
    `unknown data set '${name}': expected one of ${known}, or OWNER/NAME with --file and --format`,
    { name },
  );
}
