/** Writes a questions file whole or not at all (temporary file, then rename), with its provenance beside it. */
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Question } from '../../shared/domain/question.ts';
import { DomainError } from '../../shared/errors.ts';
import { questionLine } from '../../shared/questions/written.ts';
import { writeProvenance } from './provenance.ts';
import type { Provenance } from './provenance.ts';

export interface WrittenQuestions {
  path: string;
  count: number;
  /** SHA-256 (hex) of the file, equal to the digest that loading it gives. */
  digest: string;
}

/** Throws `InvalidInput` where there is nothing to write, ids repeat, or the file exists and `overwrite` is not set. */
export async function writeQuestions(
  path: string,
  questions: readonly Question[],
  provenance: Omit<Provenance, 'file'>,
  overwrite = false,
): Promise<WrittenQuestions> {
  if (questions.length === 0)
    throw new DomainError('InvalidInput', `nothing to write to '${path}': no question was left`, { path });
  await checkTarget(path, overwrite);
  const ids = new Set<string>();
  for (const { id } of questions) {
    if (ids.has(id))
      throw new DomainError('InvalidInput', `two questions have the id '${id}': ids must be unique`, { path, id });
    ids.add(id);
  }
  const text = questions.map((question) => `${questionLine(question)}\n`).join('');
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, text);
  await writeProvenance(path, { file: path.split(/[\\/]/).pop()!, ...provenance });
  return { path, count: questions.length, digest: createHash('sha256').update(text).digest('hex') };
}

/** Throws `InvalidInput` where the file exists and `overwrite` is not set. */
export async function checkTarget(path: string, overwrite = false): Promise<void> {
  if (overwrite || !(await exists(path))) return;
  throw new DomainError('InvalidInput', `'${path}' exists already: choose another name, or pass --overwrite`, { path });
}

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
