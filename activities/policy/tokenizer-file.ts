/** Finds a recipe's tokenizer.json: a name in `runs/assets`, or a path. */
import { readFile } from 'node:fs/promises';
import { DomainError } from '../../shared/errors.ts';

/** The file's text. Throws `InvalidInput`. */
export async function readTokenizer(nameOrPath: string): Promise<string> {
  const isName = /^[a-z0-9-]+$/.test(nameOrPath);
  const path = isName ? new URL(`../../runs/assets/${nameOrPath}-tokenizer.json`, import.meta.url) : nameOrPath;
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new DomainError(
      'InvalidInput',
      `cannot read the tokenizer '${nameOrPath}': give a name in runs/assets or a path to a tokenizer.json`,
      { nameOrPath },
      { cause },
    );
  }
}
