/** Every process that a process has ever had below it, so that none can be left behind unseen. Linux (`/proc`). */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isAlive } from '../../bootstrap/identity.mjs';
import type { Identity } from '../../bootstrap/identity.mjs';

const lookEveryMs = 300;
const patienceMs = 10_000;

export class Offspring {
  readonly #seen = new Map<number, { identity: Identity; command: string }>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.look(), lookEveryMs);
  }

  /** Notes the descendants of this process, and those of descendants that lost their parent. */
  look(): void {
    if (process.platform !== 'linux') return;
    const children = new Map<number, number[]>();
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      if (!(pid > 0)) continue;
      const parent = parentOf(pid);
      children.set(parent, [...(children.get(parent) ?? []), pid]);
    }
    const queue = [process.pid, ...[...this.#seen.values()].map(({ identity }) => identity.pid)];
    for (const pid of queue) {
      for (const child of children.get(pid) ?? []) {
        if (this.#seen.has(child)) continue;
        const command = commandOf(child);
        // The transpiler of this very process, which lives as long as it does.
        if (pid === process.pid && command.includes('esbuild')) continue;
        this.#seen.set(child, { identity: identify(child), command });
        queue.push(child);
      }
    }
  }

  /** Those that do not end by themselves either, by what they are: on a loaded machine, what was killed is gone a moment later. */
  async left(): Promise<string[]> {
    const living = () => [...this.#seen.values()].filter(({ identity }) => isAlive(identity));
    for (let waitedMs = 0; waitedMs < patienceMs && living().length > 0; waitedMs += lookEveryMs)
      await sleep(lookEveryMs);
    return living().map(({ identity, command }) => `${identity.pid} ${command}`);
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim().slice(0, 160);
  } catch {
    return '?';
  }
}
