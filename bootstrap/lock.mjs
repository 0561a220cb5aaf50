/**
 * A lock file shared by processes: made whole by a hard link, owned by a process identity, taken over when that process
 * is gone. Knows nothing about what it guards.
 */
import { linkSync, mkdirSync, readFileSync, rmdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { identify, isAlive } from './identity.mjs';

/** @typedef {import('./identity.mjs').Identity & { host: string, doing: string, at: number }} Holder */

const pollMs = 25;
/** A holder on another machine (a cache folder on a network disk) cannot be asked; its lock lapses after this time. */
const foreignLapseMs = 20 * 60_000;
/** Breaking a stale lock takes microseconds; a breaker's mark older than this belongs to a dead breaker. */
const breakerLapseMs = 10_000;
let counter = 0;

/**
 * Runs `work` while holding the lock at `path`.
 * @template T
 * @param {string} path
 * @param {string} doing what the holder does, shown to those who wait
 * @param {() => Promise<T>} work
 * @param {{ onWait?: (holder: Holder) => void, timeoutMs?: number }} [options]
 * @returns {Promise<T>}
 */
export async function withLock(path, doing, work, { onWait, timeoutMs = 30 * 60_000 } = {}) {
  await acquire(path, doing, onWait, timeoutMs);
  try {
    return await work();
  } finally {
    unlinkSync(path);
  }
}

/**
 * @param {string} path
 * @param {string} doing
 * @param {((holder: Holder) => void) | undefined} onWait
 * @param {number} timeoutMs
 */
async function acquire(path, doing, onWait, timeoutMs) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = `${path}.${process.pid}.${counter++}`;
  /** @type {Holder} */
  const holder = { ...identify(process.pid), host: hostname(), doing, at: Date.now() };
  writeFileSync(mine, JSON.stringify(holder));
  const deadline = Date.now() + timeoutMs;
  let told = false;
  try {
    for (;;) {
      if (tryLink(mine, path)) return;
      const other = readHolder(path);
      if (other !== null && isStale(other)) {
        breakLock(path, other);
        continue;
      }
      if (other !== null && !told) {
        told = true;
        onWait?.(other);
      }
      if (Date.now() > deadline)
        throw new Error(
          `lock ${path} is still held by process ${other?.pid ?? '?'} (${other?.doing ?? 'unknown'}) after ` +
            `${Math.round(timeoutMs / 1000)} s; end that process, or delete the file if it is not ours`,
        );
      await new Promise((done) => setTimeout(done, pollMs));
    }
  } finally {
    unlinkSync(mine);
  }
}

/**
 * @param {string} from
 * @param {string} to
 */
function tryLink(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * @param {string} path
 * @returns {Holder | null} null when it was released meanwhile
 */
export function readHolder(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/** @param {Holder} holder */
function isStale(holder) {
  if (holder.host !== hostname()) return Date.now() - holder.at > foreignLapseMs;
  return !isAlive(holder);
}

/**
 * Removes a dead holder's lock. The mark makes read-check-remove one step, so a lock that someone took meanwhile stays.
 * @param {string} path
 * @param {Holder} dead
 */
function breakLock(path, dead) {
  const mark = `${path}.breaking`;
  try {
    mkdirSync(mark);
  } catch {
    const age = Date.now() - (statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > breakerLapseMs) rmdirSync(mark);
    return;
  }
  try {
    const now = readHolder(path);
    if (now !== null && now.pid === dead.pid && now.startedAt === dead.startedAt && now.at === dead.at)
      unlinkSync(path);
  } finally {
    rmdirSync(mark);
  }
}
