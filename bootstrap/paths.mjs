/**
 * Where things are kept: the clone, its git-ignored state folder, and the user's cache of downloaded programs that all
 * clones share. Knows nothing about what is stored there. Cache folder: XDG Base Directory specification.
 */
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {Record<string, string | undefined>} Env */

/** Root folder of the clone this file belongs to. */
export const cloneRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Folder of downloaded programs: `METAAGENTX_CACHE`, else the platform's cache folder plus `metaagentx`.
 * @param {Env} [env]
 */
export function cacheFolder(env = process.env) {
  if (env.METAAGENTX_CACHE) return resolve(env.METAAGENTX_CACHE);
  if (env.XDG_CACHE_HOME) return join(resolve(env.XDG_CACHE_HOME), 'metaagentx');
  if (process.platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'metaagentx');
  const home = env.HOME ?? homedir();
  return process.platform === 'darwin'
    ? join(home, 'Library', 'Caches', 'metaagentx')
    : join(home, '.cache', 'metaagentx');
}

/**
 * Folder of databases, logs, ports and pids of one clone: `METAAGENTX_STATE`, else `.metaagentx` in the clone.
 * @param {Env} [env]
 */
export function stateFolder(env = process.env) {
  return env.METAAGENTX_STATE ? resolve(env.METAAGENTX_STATE) : join(cloneRoot, '.metaagentx');
}
