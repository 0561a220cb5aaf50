/**
 * Where a questions file came from. `import`, `split`, `mix` and `pull` write it beside the file as
 * `FILE.provenance.json`; a file that a person wrote has none and its provenance is its name alone.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { DomainError } from '../../shared/errors.ts';

export interface Provenance {
  /** File name without folders: what a reader needs, not where one machine kept it. */
  file: string;
  /** How the file came to be (`written by hand`, `import gsm8k`, `split`, `mix`, `pull`). */
  made: string;
  /** What it was made from, with digests of the bytes (hex SHA-256) where known. */
  sources: readonly { name: string; sha256: string | null; url: string | null }[];
  /** Options that shaped it, as given. */
  options: Readonly<Record<string, unknown>>;
}

export const provenancePath = (path: string) => `${path}.provenance.json`;

/** The provenance stored beside `path`, or that of a hand-written file. Throws `InvalidInput` if it is damaged. */
export async function readProvenance(path: string): Promise<Provenance> {
  let text: string;
  try {
    text = await readFile(provenancePath(path), 'utf8');
  } catch {
    return { file: basename(path), made: 'written by hand', sources: [], options: {} };
  }
  try {
    return JSON.parse(text) as Provenance;
  } catch (cause) {
    const message = `'${provenancePath(path)}' is not JSON: mend it or delete it`;
    throw new DomainError('InvalidInput', message, { path }, { cause });
  }
}

export async function writeProvenance(path: string, provenance: Provenance): Promise<void> {
  await writeFile(provenancePath(path), `${JSON.stringify(provenance, null, 2)}\n`);
}
