/** Python programs under way below a process: forks of the sandbox's warm interpreters. Linux (`/proc`). */
import { readdirSync, readFileSync } from 'node:fs';

interface Running {
  parent: number;
  name: string;
}

export function programsBelow(ancestor: number): number[] {
  const all = new Map<number, Running>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const running = readProcess(entry);
    if (running !== null) all.set(Number(entry), running);
  }
  const isBelow = (pid: number): boolean => {
    const own = all.get(pid);
    return own !== undefined && (own.parent === ancestor || isBelow(own.parent));
  };
  const isPython = (pid: number) => all.get(pid)?.name.startsWith('python') === true;
  return [...all].filter(([pid, { parent }]) => isPython(pid) && isPython(parent) && isBelow(pid)).map(([pid]) => pid);
}

/** Null for a zombie and for a process that has ended meanwhile. */
function readProcess(entry: string): Running | null {
  try {
    const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
    const [open, close] = [stat.indexOf('('), stat.lastIndexOf(')')];
    const [state, parent] = stat.slice(close + 2).split(' ');
    return state === 'Z' ? null : { parent: Number(parent), name: stat.slice(open + 1, close) };
  } catch {
    return null;
  }
}
