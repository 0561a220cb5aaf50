/**
 * Processor time of one thread: a process that was stopped, or that waits for a core, is not working. Linux tells it in
 * `/proc` (schedstat, nanoseconds on a processor); elsewhere it is unknown and callers fall back on the wall clock.
 */
import { readFileSync, readlinkSync } from 'node:fs';

/** The operating system's number of the calling thread, or 0 where it cannot be told. */
export function ownThread(): number {
  try {
    return Number(/\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Milliseconds that a thread of this process has had a processor, or null where it cannot be told. */
export function threadMs(thread: number): number | null {
  if (thread === 0) return null;
  try {
    return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return null;
  }
}
