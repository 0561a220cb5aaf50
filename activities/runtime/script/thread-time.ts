/**
 * Processor time of one thread: a process that was stopped, or that waits for a core, is not working. Linux tells it in
 * `/proc` (schedstat, nanoseconds on a processor); elsewhere it is unknown and callers fall back on the wall clock.
 */
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';

/** The operating system's number of the calling thread, or 0 where it cannot be told. */
export function ownThread(): number {
  try {
    return Number(/\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Asked twice a stretch of every script: the files stay open. */
const files = new Map<number, number>();
const line = Buffer.alloc(64);

/** Milliseconds that a thread of this process has had a processor, or null where it cannot be told. */
export function threadMs(thread: number): number | null {
  if (thread === 0) return null;
  try {
    const file = files.get(thread) ?? openSync(`/proc/self/task/${thread}/schedstat`, 'r');
    files.set(thread, file);
    return parseInt(line.toString('latin1', 0, readSync(file, line, 0, line.length, 0)), 10) / 1e6;
  } catch {
    // It has ended, and its number may come again.
    const file = files.get(thread);
    files.delete(thread);
    if (file !== undefined) closeSync(file);
    return null;
  }
}
