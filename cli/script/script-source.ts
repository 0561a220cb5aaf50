/** The script that a command is about: from a file or stdin, taken out of a Designer's reply where it is one. */
import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { DomainError } from '../../shared/errors.ts';
import { extractScript } from '../../shared/script/extract.ts';
import type { PromptForm } from '../../shared/script/prompts.ts';

/** Null: the reply holds no script. Throws `InvalidInput` for a file that cannot be read. */
export async function readScript(file: string, replyForm: PromptForm | undefined): Promise<string | null> {
  const text = await read(file);
  return replyForm === undefined ? text : (extractScript(text, replyForm)?.script ?? null);
}

async function read(file: string): Promise<string> {
  try {
    return file === '-' ? await readAll(process.stdin) : await readFile(file, 'utf8');
  } catch (cause) {
    throw new DomainError('InvalidInput', `cannot read '${file}': ${(cause as Error).message}`, { file }, { cause });
  }
}
