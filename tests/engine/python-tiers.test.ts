/** What is refused: tiers that let something through, machines without the parts. Weakened tiers meet canaries only. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { standardCanaries } from '../../activities/runtime/python/canaries.ts';
import { tiers } from '../../activities/runtime/python/command.ts';
import type { Tier } from '../../activities/runtime/python/command.ts';
import { openPythonSandbox, openWith } from '../../activities/runtime/python/open-sandbox.ts';
import { missingTiers } from '../attacks/python/at-tiers.ts';

const here = (name: 'A' | 'C') => missingTiers.get(name) === null;
const refusal = async (candidates: Tier[], canaries = standardCanaries) => {
  const opened = openWith(candidates, canaries, { workers: 1 });
  const error = await opened.then(
    async (sandbox) => {
      await sandbox.close();
      throw new Error(`opened: ${sandbox.reason}`);
    },
    (reason: unknown) => reason as { name: string; message: string; data: { canary?: string } },
  );
  expect(error.name).toBe('SandboxUnavailable');
  return error;
};

describe('a broken tier is refused, never replaced in silence', () => {
  it.skipIf(!here('A'))('bubblewrap without seccomp', async () => {
    const error = await refusal([{ ...tiers.A, seccomp: false }, tiers.C]);
    expect(error.message).toMatch(/tier A is broken and refused: canary '/);
    expect(error.message).toMatch(/Nothing weaker is used/);
  });

  it.skipIf(!here('C'))('tier C without Landlock: the secret file is found', async () => {
    const only = standardCanaries.filter((canary) => canary.name === 'secret file');
    expect((await refusal([{ ...tiers.C, landlock: false }], only)).data.canary).toBe('secret file');
  });

  const withoutSeccomp = ['fork', 'other program', 'system calls'];
  it.skipIf(!here('C')).each(withoutSeccomp)('tier C without seccomp: canary %s', async (name) => {
    const only = standardCanaries.filter((canary) => canary.name === name);
    // Running a program is also stopped by Landlock; its canary must hold here.
    if (name === 'other program') {
      const sandbox = await openWith([{ ...tiers.C, seccomp: false }], only, { workers: 1 });
      expect(sandbox.tier).toBe('C');
      return sandbox.close();
    }
    expect((await refusal([{ ...tiers.C, seccomp: false }], only)).data.canary).toBe(name);
  });

  it('a canary that is made to fail', async () => {
    const name = (['A', 'C'] as const).find(here);
    if (name === undefined) return console.warn('SKIPPED: no tier of the Python sandbox holds on this machine');
    const surprise = { ...standardCanaries[2]!, name: 'made to fail', check: () => 'it was made to' };
    const error = await refusal([tiers[name], tiers.C], [...standardCanaries, surprise]);
    expect(error.data.canary).toBe('made to fail');
  });
});

describe('missing parts', () => {
  it('names what to install when no tier is left', async () => {
    const opened = openPythonSandbox({ minTier: 'B', bubblewrap: '/missing/bwrap' });
    await expect(opened).rejects.toMatchObject({
      name: 'SandboxUnavailable',
      message: expect.stringMatching(/apt-get install .*bubblewrap/),
    });
  });

  it('refuses without Python', async () => {
    await expect(openPythonSandbox({ python: '/missing/python3' })).rejects.toMatchObject({
      name: 'SandboxUnavailable',
    });
  });

  it.skipIf(!here('C'))('says why it is not a stronger tier', async () => {
    const sandbox = await openPythonSandbox({ bubblewrap: '/missing/bwrap', workers: 1 });
    expect(sandbox.tier).toBe('C');
    expect(sandbox.reason).toMatch(/tier A not available: bubblewrap \(bwrap\) is not installed/);
    await sandbox.close();
  });
});

const program = `
const { openPythonSandbox } = await import(process.argv[1]);
for (const tier of process.argv.slice(2)) {
  const sandbox = await openPythonSandbox({ tiers: [tier], workers: 1 });
  console.log(process.getuid(), sandbox.tier);
  await sandbox.close();
}
`;

describe('an ordinary user', () => {
  const names = (['A', 'C'] as const).filter(here);
  it.skipIf(process.getuid?.() !== 0 || names.length === 0)('opens the same tiers without being root', () => {
    const module = fileURLToPath(new URL('../../activities/runtime/python/open-sandbox.ts', import.meta.url));
    const argv = ['--import', 'tsx', '--input-type=module', '-e', program, module, ...names];
    const printed = execFileSync(process.execPath, argv, {
      uid: 65_534,
      gid: 65_534,
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' },
      encoding: 'utf8',
    });
    expect(printed.trim().split('\n')).toEqual(names.map((name) => `65534 ${name}`));
  });
});
