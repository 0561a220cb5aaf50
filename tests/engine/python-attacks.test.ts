/** Every attack of tests/attacks/python: contained, the neighbour unharmed, nothing left behind. */
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { layBait } from '../../activities/runtime/python/canaries.ts';
import type { Bait } from '../../activities/runtime/python/canaries.ts';
import { defaultTestLimits, pythonTiers } from '../../activities/runtime/python/contract.ts';
import type { PythonSandbox, PythonTestResult } from '../../activities/runtime/python/contract.ts';
import { judgeCode } from '../../activities/runtime/python/judge-code.ts';
import { openPythonSandbox } from '../../activities/runtime/python/open-sandbox.ts';
import { slotUser } from '../../activities/runtime/python/server.ts';
import { atTiers, missingTiers } from '../attacks/python/at-tiers.ts';
import type { Attack } from '../attacks/python/attack.ts';
import { deepTree, fileAttacks } from '../attacks/python/files.ts';
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

/** Processes with parent and users, as `pid (name) state ppid`, then the real uid. */
function processes(): { line: string; parent: number; uid: number }[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      const uid = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
      return [{ line: stat.split(' ').slice(0, 4).join(' '), parent, uid }];
    } catch {
      // It has just ended.
      return [];
    }
  });
}

/** What a run could leave behind: fork servers or programs that outlived them, mounts, files. */
function traces() {
  const users = new Set(Array.from({ length: 16 }, (_, slot) => slotUser(slot).uid).filter((uid) => uid !== undefined));
  const left = processes().filter(
    ({ line, parent, uid }) => users.has(uid) || (parent === process.pid && /bwrap|python/.test(line)),
  );
  return {
    processes: left.map(({ line }) => line),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
    files: readdirSync(folder, { recursive: true }),
  };
}

/** Everything that this file's sandboxes make on the host is made here. */
const folder = mkdtempSync(join(tmpdir(), 'metaagentx-attacks-'));
let bait: Bait;
let before: ReturnType<typeof traces>;
beforeAll(async () => {
  // The fork servers of tier C are another user's.
  chmodSync(folder, 0o755);
  vi.stubEnv('TMPDIR', folder);
  bait = await layBait();
  before = traces();
});
afterAll(async () => {
  await bait.remove();
  vi.unstubAllEnvs();
  rmdirSync(folder);
});

const groups = { files: fileAttacks, processes: processAttacks, network: networkAttacks };
// Without Landlock (tier B) these succeed inside the memory file system of this slot, which is emptied after every program.
const harmlessAtB = new Set(['make device nodes and pipes', 'write beside the scratch folder']);

/** What must hold of every attack's end; `seen` is what to show when it does not. */
function expectContained(one: Attack, result: PythonTestResult, mayShowEscape = false) {
  const seen = `${result.status} ${result.error ?? ''} ${result.stdout.slice(0, 500)}`;
  if (!mayShowEscape) expect(result.stdout, seen).not.toContain('ESCAPED');
  expect(one.ends ?? ['ok'], seen).toContain(result.status);
  expect(result.stdout + result.stderr).not.toContain(bait.secret);
  expect(bait.touched()).toBe(false);
}

describe('attacks on what a tier keeps out', () => {
  atTiers(['A', 'B', 'C'], { workers: 1 }, (sandbox, tier) => {
    for (const [group, attacks] of Object.entries(groups)) {
      it.each(attacks.map((one) => ({ ...one, label: `${group}: ${one.name}` })))('$label', async (one) => {
        expectContained(one, await attack(sandbox(), one, bait), tier === 'B' && harmlessAtB.has(one.name));
        // The next program in the same slot finds an empty folder and a server that works.
        expect(await goodProgram(sandbox())).toMatchObject({ status: 'ok', stdout: '6\n' });
      });
    }

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

// Verdicts, time, memory and output are the server's affair, which is the same at every tier: the best one proves them.
describe('attacks on verdicts and limits', () => {
  /** A busy machine may delay one attempt; an attack that is not contained delays them all. */
  const attempts = 3;
  const allowedMs = 1_500;

  atTiers(pythonTiers.filter((name) => missingTiers.get(name) === null).slice(0, 1), { workers: 2 }, (sandbox) => {
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

    /** How many times its CPU time an honest loop takes here and now: what a busy machine does to a neighbour. */
    const slowness = async () => {
      const source = 'import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass';
      const { wallMs } = await attack(sandbox(), { name: 'honest loop', source: () => source }, bait);
      return Math.max(1, wallMs / 400);
    };

    /** The attack beside a neighbour in the other slot: how long after its deadline it ended, and the slowest neighbour. */
    const besideNeighbour = async (one: Attack) => {
      const going = attack(sandbox(), one, bait);
      let [ended, neighbourMs] = [false, 0];
      void going.finally(() => (ended = true)).catch(() => undefined);
      do {
        const began = performance.now();
        expect(await goodProgram(sandbox())).toMatchObject({ status: 'ok', stdout: '6\n' });
        neighbourMs = Math.max(neighbourMs, performance.now() - began);
      } while (!ended);
      const result = await going;
      const lateMs = result.wallMs - result.starvedMs - (one.limits?.wallMs ?? limits.wallMs);
      return { result, lateMs, neighbourMs };
    };

    it.each(resourceAttacks)('$name ends within its deadline + 1.5 s and delays no neighbour', async (one) => {
      let seen = await besideNeighbour(one);
      let slow = 1;
      const isLate = () => Math.max(seen.lateMs, seen.neighbourMs) / slow >= allowedMs;
      for (let attempt = 1; attempt < attempts && isLate(); attempt++) {
        slow = await slowness();
        seen = await besideNeighbour(one);
      }
      expectContained(one, seen.result);
      const { lateMs, neighbourMs } = seen;
      expect(isLate(), JSON.stringify({ lateMs, neighbourMs, slow })).toBe(false);
    });
  });
});

describe('traces', () => {
  const held = (['A', 'C'] as const).filter((name) => missingTiers.get(name) === null);
  it.skipIf(held.length === 0).each(held)('of programs that were cut off at tier %s: none', async (name) => {
    const sandbox = await openPythonSandbox({ tiers: [name], workers: 2 });
    const run = { style: 'stdio', functionName: null, starterCode: null, tests: [{ input: '' }], limits } as const;
    await sandbox.run({ ...run, source: deepTree });
    // Ended in mid-flight, with files in its folder.
    const cut = sandbox.run({ ...run, source: `open('x', 'w').close()\nwhile True: pass` });
    const rejected = expect(cut).rejects.toMatchObject({ name: 'SandboxUnavailable' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(traces().processes).not.toEqual([]);
    await sandbox.close();
    await rejected;
    expect(traces()).toEqual(before);
  });

  // The last test of the file: every sandbox above is closed.
  it('of all attacks: no process, no mount, no file', () => {
    expect(traces()).toEqual(before);
    expect(before.processes).toEqual([]);
  });
});
