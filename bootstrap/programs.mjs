/**
 * The cache of downloaded programs: each is a folder that appears whole (made aside, renamed into place, under a lock)
 * with `installed.json` saying what it is. Also remembers for an hour which slow downloads failed, so that the next
 * start does not wait for them again. Knows nothing about the programs.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './identity.mjs';
import { withLock } from './lock.mjs';

/**
 * @typedef {object} Installed
 * @property {string} name
 * @property {string} version
 * @property {string} source how it was obtained
 * @property {string} entry the program, relative to its folder
 * @property {string} [python] interpreter that runs it
 */

const forgetFailureMs = 60 * 60_000;

/**
 * Folder name of one program build on this machine kind.
 * @param {string} name
 * @param {string} version
 */
export const programKey = (name, version) => `${name}-${version}-${process.platform}-${process.arch}`;

/**
 * @param {string} cacheDir
 * @param {string} key
 * @returns {(Installed & { folder: string, path: string }) | null}
 */
export function cachedProgram(cacheDir, key) {
  const folder = join(cacheDir, 'programs', key);
  try {
    /** @type {Installed} */
    const installed = JSON.parse(readFileSync(join(folder, 'installed.json'), 'utf8'));
    const path = join(folder, installed.entry);
    const whole = existsSync(path) && (installed.python === undefined || existsSync(installed.python));
    return whole ? { ...installed, folder, path } : null;
  } catch {
    return null;
  }
}

/**
 * Puts a program into the cache. `install` fills an empty folder and says what it put there, or why it could not
 * (a text). When another process installed it meanwhile, that one is used.
 * @param {string} cacheDir
 * @param {string} key
 * @param {(folder: string) => Promise<Installed | string>} install
 * @param {(text: string) => void} say
 * @returns {Promise<(Installed & { folder: string, path: string }) | string>}
 */
export async function installProgram(cacheDir, key, install, say) {
  const programs = join(cacheDir, 'programs');
  mkdirSync(programs, { recursive: true });
  const onWait = (/** @type {import('./lock.mjs').Holder} */ holder) =>
    say(`waiting for process ${holder.pid}, which is installing ${holder.doing}`);
  return withLock(
    join(cacheDir, 'locks', `${key}.lock`),
    key,
    async () => {
      const ready = cachedProgram(cacheDir, key);
      if (ready !== null) return ready;
      sweepPartial(programs);
      const partial = mkdtempSync(join(programs, `.partial-${process.pid}-`));
      try {
        const installed = await install(partial);
        if (typeof installed === 'string') return installed;
        writeFileSync(join(partial, 'installed.json'), JSON.stringify(installed, null, 2));
        rmSync(join(programs, key), { recursive: true, force: true });
        renameSync(partial, join(programs, key));
      } finally {
        rmSync(partial, { recursive: true, force: true });
      }
      return cachedProgram(cacheDir, key) ?? `${key} was installed but its program is missing`;
    },
    { onWait },
  );
}

/**
 * Removes folders that a killed installation left behind.
 * @param {string} programs
 */
function sweepPartial(programs) {
  for (const name of readdirSync(programs)) {
    const pid = /^\.partial-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive({ pid: Number(pid), startedAt: null }))
      rmSync(join(programs, name), { recursive: true, force: true });
  }
}

/**
 * Why this download failed within the last hour, or null.
 * @param {string} cacheDir
 * @param {string} what
 * @param {number} [now] ms since the epoch
 * @returns {string | null}
 */
export function recentFailure(cacheDir, what, now = Date.now()) {
  const entry = readFailures(cacheDir)[what];
  if (entry === undefined || now - entry.at > forgetFailureMs) return null;
  return `${entry.why} (${Math.round((now - entry.at) / 60_000)} min ago; tried again after an hour)`;
}

/**
 * @param {string} cacheDir
 * @param {string} what
 * @param {string} why
 */
export function rememberFailure(cacheDir, what, why) {
  mkdirSync(cacheDir, { recursive: true });
  const file = join(cacheDir, 'failures.json');
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, JSON.stringify({ ...readFailures(cacheDir), [what]: { at: Date.now(), why } }, null, 2));
  renameSync(aside, file);
}

/**
 * @param {string} cacheDir
 * @returns {Record<string, { at: number, why: string }>}
 */
function readFailures(cacheDir) {
  try {
    return JSON.parse(readFileSync(join(cacheDir, 'failures.json'), 'utf8'));
  } catch {
    return {};
  }
}
