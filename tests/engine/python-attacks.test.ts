/** Every attack of tests/attacks/python at every tier: contained, the neighbour unharmed, nothing left behind. */
import { readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layBait } from '../../activities/runtime/python/canaries.ts';
import type { Bait } from '../../activities/runtime/python/canaries.ts';
import { defaultTestLimits } from '../../activities/runtime/python/contract.ts';
import type { PythonSandbox } from '../../activities/runtime/python/contract.ts';
import { judgeCode } from '../../activities/runtime/python/judge-code.ts';
import { openPythonSandbox } from '../../activities/runtime/python/open-sandbox.ts';
import { atTiers, missingTiers } from '../attacks/python/at-tiers.ts';
import type { Attack } from '../attacks/python/attack.ts';
import { fileAttacks } from '../attacks/python/files.ts';
import { expectedMark, forgeries } from '../attacks/python/forgery.ts';
import { networkAttacks } from '../attacks/python/network.ts';
import { processAttacks } from '../attacks/python/processes.ts';
import { resourceAttacks } from '../attacks/python/resources.ts';

const limits = { ...defaultTestLimits, cpuMs: 3_000, wallMs: 6_000, memoryMb: 256 };
const good = "print(sum(int(word) for word in input().split()))\nopen('own', 'x').close()";

async function attack(sandbox: PythonSandbox, { source, limits: changes = {}, functionName }: Attack, bait: Bait) {
  const style = functionName === undefined ? 'stdio' : 'call';
  const run = { source: source(bait), style, functionName: functionName ?? null, starterCode: null } as const;
  const { tests } = await sandbox.run({ ...run, tests: [{ input: '1' }], limits: { ...limits, ...changes } });
  return tests[0]!;
}

async function goodProgram(sandbox: PythonSandbox) {
  const run = {
    source: good,
    style: 'stdio',
    functionName: null,
    starterCode: null,
    tests: [{ input: '1 2 3\n' }],
  } as const;
  return (await sandbox.run({ ...run, limits })).tests[0]!;
}

/** Processes that are children of this one and fork servers, mounts, and folders: what a run could leave behind. */
function traces() {
  const children = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      return parent === process.pid && /bwrap|python/.test(stat);
    } catch {
      return false;
    }
  });
  const folders = readdirSync(tmpdir()).filter((name) => /^metaagentx-(python|bait)-/.test(name));
  return { children, mounts: readFileSync('/proc/self/mountinfo', 'utf8'), folders };
}

let bait: Bait;
beforeAll(async () => {
  bait = await layBait();
});
afterAll(() => bait.remove());

const groups = { files: fileAttacks, processes: processAttacks, network: networkAttacks, resources: resourceAttacks };
// Without Landlock (tier B) these succeed inside the memory file system of this slot, which is emptied after every program.
const harmlessAtB = new Set(['make device nodes and pipes', 'write beside the scratch folder']);

describe('attacks', () => {
  atTiers(['A', 'B', 'C'], { workers: 1 }, (sandbox, tier) => {
    for (const [group, attacks] of Object.entries(groups)) {
      it.each(attacks.map((one) => ({ ...one, label: `${group}: ${one.name}` })))('$label', async (one) => {
        const result = await attack(sandbox(), one, bait);
        const seen = `${result.status} ${result.error ?? ''} ${result.stdout.slice(0, 500)}`;
        if (!(tier === 'B' && harmlessAtB.has(one.name))) expect(result.stdout, seen).not.toContain('ESCAPED');
        expect(one.ends ?? ['ok'], seen).toContain(result.status);
        expect(result.stdout + result.stderr).not.toContain(bait.secret);
        expect(bait.touched()).toBe(false);
        // The next program in the same slot finds an empty folder and a server that works.
        expect(await goodProgram(sandbox())).toMatchObject({ status: 'ok', stdout: '6\n' });
      });
    }

    it.each(forgeries)('forgery: $name', async (forgery) => {
      const verifier = {
        type: 'code',
        style: forgery.functionName === undefined ? 'stdio' : 'call',
        functionName: forgery.functionName ?? null,
        starterCode: null,
        tests: [{ input: '1', expected: forgery.functionName === undefined ? expectedMark : `"${expectedMark}"` }],
        compare: 'exact',
        timeLimitMs: 3_000,
        memoryLimitMb: 256,
      } as const;
      const verdict = await judgeCode(verifier, forgery.source(bait), sandbox());
      expect(verdict).toMatchObject({ correct: false, passed: 0 });
      expect(await goodProgram(sandbox())).toMatchObject({ status: 'ok', stdout: '6\n' });
    });

    it('does not show a program what another one left', async () => {
      const leave = "open('left', 'w').write('x')\nimport builtins, math\nbuiltins.left = math.left = 1\nprint('done')";
      const look =
        "import builtins, math, os\nprint(os.listdir('.'), hasattr(builtins, 'left'), hasattr(math, 'left'))";
      const run = (source: string) => attack(sandbox(), { name: '', source: () => source }, bait);
      expect((await run(leave)).stdout).toBe('done\n');
      expect((await run(look)).stdout).toBe('[] False False\n');
    });
  });
});

describe('neighbours and traces', () => {
  const tier = (['A', 'C'] as const).find((name) => missingTiers.get(name) === null);

  /** A busy machine may delay one attempt; an attack that is not contained delays them all. */
  const attempts = 3;
  const allowedMs = 1_500;

  /** How much longer than its CPU time an honest loop takes here and now: time that wall limits do not count. */
  const busyMs = async (sandbox: PythonSandbox) => {
    const source = 'import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass';
    const { wallMs } = await attack(sandbox, { name: 'honest loop', source: () => source }, bait);
    return Math.max(0, wallMs - 400);
  };

  it.skipIf(tier === undefined)('ends every attack within its deadline + 1.5 s while a neighbour goes on', async () => {
    const sandbox = await openPythonSandbox({ tiers: [tier!], workers: 2 });
    const slowest = { neighbour: 0 };
    let attacking = true;
    const neighbour = async () => {
      while (attacking) {
        const began = performance.now();
        expect(await goodProgram(sandbox)).toMatchObject({ status: 'ok', stdout: '6\n' });
        slowest.neighbour = Math.max(slowest.neighbour, performance.now() - began);
      }
    };
    const going = neighbour();
    const tooLate: unknown[] = [];
    for (const one of resourceAttacks) {
      let seen = { late: Infinity, neighbour: Infinity };
      const isLate = () => Math.max(seen.late, seen.neighbour) >= allowedMs;
      for (let attempt = 0; attempt < attempts && isLate(); attempt++) {
        const busy = attempt === 0 ? 0 : await busyMs(sandbox);
        slowest.neighbour = 0;
        const { wallMs } = await attack(sandbox, one, bait);
        seen = { late: wallMs - (one.limits?.wallMs ?? limits.wallMs) - 2 * busy, neighbour: slowest.neighbour - busy };
      }
      if (isLate()) tooLate.push({ name: one.name, ...seen });
    }
    attacking = false;
    await going;
    await sandbox.close();
    expect(tooLate).toEqual([]);
  });

  it.skipIf(tier === undefined)('leaves no process, mount or folder', async () => {
    for (const name of (['A', 'C'] as const).filter((one) => missingTiers.get(one) === null)) {
      const before = traces();
      const sandbox = await openPythonSandbox({ tiers: [name], workers: 2 });
      const run = { style: 'stdio', functionName: null, starterCode: null, tests: [{ input: '' }], limits } as const;
      const tree = "import os\nfor n in range(1500):\n    os.mkdir('d'); os.chdir('d')\nopen('leaf', 'w').close()\n";
      await sandbox.run({ ...run, source: tree });
      // Ended in mid-flight, with files in its folder.
      const cut = sandbox.run({ ...run, source: `open('x', 'w').close()\nwhile True: pass` });
      const rejected = expect(cut).rejects.toMatchObject({ name: 'SandboxUnavailable' });
      await new Promise((resolve) => setTimeout(resolve, 100));
      await sandbox.close();
      await rejected;
      const after = traces();
      expect(after.children).toEqual(before.children);
      expect(after.mounts).toBe(before.mounts);
      expect(after.folders.filter((folder) => !before.folders.includes(folder))).toEqual([]);
    }
  });
});
