/**
 * Names one process for good: a pid together with the moment it started, because pids are reused. Lets a later start
 * tell its own orphan from a stranger that got the same number. Knows nothing about who the process is.
 * Linux: field 22 of /proc/PID/stat with the boot id; elsewhere `ps -o lstart=`; Windows: the pid alone.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** @typedef {{ pid: number, startedAt: string | null }} Identity */

/**
 * When the process started, as an opaque text that is equal only for the same process; null when it cannot be told.
 * Undefined when no live process has this pid (a zombie is not alive).
 * @param {number} pid
 * @returns {string | null | undefined}
 */
export function startOf(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPERM') return undefined;
  }
  if (process.platform === 'linux') return linuxStart(pid);
  if (process.platform === 'win32') return null;
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function linuxStart(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name may hold spaces and parentheses, so fields are counted after its closing one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${bootId()}:${fields[19]}`;
  } catch {
    return undefined;
  }
}

function bootId() {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'boot';
  }
}

/**
 * @param {number} pid
 * @returns {Identity}
 */
export function identify(pid) {
  return { pid, startedAt: startOf(pid) ?? null };
}

/**
 * True while exactly this process lives.
 * @param {Identity} identity
 */
export function isAlive({ pid, startedAt }) {
  const now = startOf(pid);
  if (now === undefined) return false;
  return startedAt === null || now === null || now === startedAt;
}
