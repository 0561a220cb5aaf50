/** A folder that holds only so many bytes: a small memory file system mounted there, where the machine lets us. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export class Quota {
  readonly #folder: string;
  readonly #mounted: boolean;

  constructor(folder: string, megabytes: number) {
    this.#folder = folder;
    this.#mounted = mount(folder, megabytes);
  }

  /** False where mounting is not allowed: then the disk cannot be filled, and nobody else's is. */
  get isLimited(): boolean {
    return this.#mounted;
  }

  /** Takes every byte that is left. */
  fill(): void {
    const file = openSync(join(this.#folder, 'filler'), 'w');
    const block = Buffer.alloc(1 << 20);
    try {
      for (let size = block.length; size >= 512;) {
        try {
          writeSync(file, block, 0, size);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          size = size >> 1;
        }
      }
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(join(this.#folder, 'filler'), { force: true });
  }

  /** A process that is just ending may still hold a file there: then it goes with the last of them. */
  async close(): Promise<void> {
    if (!this.#mounted) return;
    for (let waited = 0; waited < patienceMs; waited += 200) {
      if (unmount([this.#folder])) return;
      await sleep(200);
    }
    if (!unmount(['--lazy', this.#folder])) throw new Error(`${this.#folder} cannot be unmounted`);
  }
}

const patienceMs = 5_000;

function unmount(args: readonly string[]): boolean {
  try {
    execFileSync('umount', args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function mount(folder: string, megabytes: number): boolean {
  if (process.platform !== 'linux') return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
