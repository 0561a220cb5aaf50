/** A folder that holds only so many bytes: a small memory file system mounted there, where the machine lets us. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

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

  close(): void {
    if (this.#mounted) execFileSync('umount', [this.#folder], { stdio: 'ignore' });
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
