import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { claimFolder } from './write-folder.ts';

it('makes a folder with what is above it, and refuses by name what cannot be one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'claim-'));
  try {
    await claimFolder(join(folder, 'a', 'b'));
    expect(await readdir(join(folder, 'a'))).toEqual(['b']);
    await claimFolder(join(folder, 'a', 'b'));
    await writeFile(join(folder, 'file'), '');
    // The last one is refused by the kernel, to root too.
    const wrong = [join(folder, 'file'), join(folder, 'file', 'below')];
    if (process.platform === 'linux') wrong.push('/proc/none/below');
    for (const directory of wrong)
      await expect(claimFolder(directory)).rejects.toMatchObject({
        name: 'InvalidInput',
        message: expect.stringContaining(`'${directory}' cannot be a folder`) as string,
      });
  } finally {
    await rm(folder, { recursive: true });
  }
});
