/** Reads what a user wrote into a file of their own: the default export of a module, or JSON. */
import { access, readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tsImport } from 'tsx/esm/api';
import { DomainError } from '../shared/errors.ts';

const moduleEndings = ['.ts', '.mts', '.js', '.mjs'];

/** `what` is a recipe or a study. Throws `InvalidInput`. */
export async function readDefinitionFile(what: string, file: string): Promise<unknown> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new DomainError('InvalidInput', `${what} '${file}' ${reason}`, { file }, { cause });
  };
  const path = resolve(file);
  await access(path).catch(() => refuse('cannot be read: there is no such file'));
  if (extname(path) === '.json') {
    try {
      return JSON.parse(await readFile(path, 'utf8')) as unknown;
    } catch (cause) {
      return refuse(`is not JSON: ${(cause as Error).message}`, cause);
    }
  }
  if (!moduleEndings.includes(extname(path))) refuse(`must end in ${moduleEndings.join(', ')} or .json`);
  try {
    const loaded = (await tsImport(pathToFileURL(path).href, import.meta.url)) as { default?: unknown };
    return defaultOf(loaded) ?? refuse('has no default export: write `export default { … }`');
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    return refuse(`cannot be loaded: ${(cause as Error).message}`, cause);
  }
}

/** A file below no package of `"type": "module"` is a CommonJS module, whose exports are themselves the default one. */
function defaultOf({ default: exported }: { default?: unknown }): unknown {
  const isWrapped = typeof exported === 'object' && exported !== null && '__esModule' in exported;
  return isWrapped ? (exported as { default?: unknown }).default : exported;
}
