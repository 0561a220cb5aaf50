/** One script attack beside an innocent script on the same thread: how both end, and how late the innocent one gets. */
import type { ScriptPool } from '../../../activities/runtime/script/contract.ts';
import { play } from '../../engine/script-host.ts';
import type { Heard } from '../../engine/script-host.ts';
import type { ScriptAttack } from './read.ts';

export const attackLimits = { cpuTicks: 3000, cpuMs: 500, memoryBytes: 24 * 2 ** 20 };
/** How much later than the attack's deadline an innocent script may end. */
export const allowedMs = 1_500;

const innocent =
  "const a = await agent('a'); const b = await agent({ prompt: 'b', input: a }); return ensemble([a, b, 'c'])";
/** A busy machine delays one attempt; an attack that is not contained delays them all. */
const attempts = 3;

export interface Beside {
  attack: Heard;
  neighbour: Heard;
  neighbourMs: number;
  /** Beyond the deadline, in the time of a machine that nobody else uses. */
  lateMs: number;
}

/** How many times its processor time an endless loop takes here and now that the interpreter itself ends. */
async function slowness(pool: ScriptPool): Promise<number> {
  const began = performance.now();
  await play(pool, 'for (;;) {}', () => '', { limits: { ...attackLimits, cpuTicks: 1e9 } });
  return Math.max(1, (performance.now() - began) / attackLimits.cpuMs);
}

async function once(pool: ScriptPool, { script, text, grants }: ScriptAttack, slow: number): Promise<Beside> {
  const began = performance.now();
  const attacking = play(pool, script, () => 'Answer: 42', {
    limits: attackLimits,
    allowAuthored: text !== null,
    grantedTools: grants,
  });
  const neighbour = await play(pool, innocent, ({ call }) => `Answer: ${call}`);
  const neighbourMs = performance.now() - began;
  return { attack: await attacking, neighbour, neighbourMs, lateMs: neighbourMs / slow - attackLimits.cpuMs };
}

/** The first attempt that is not late, or the last. */
export async function besideNeighbour(pool: ScriptPool, attack: ScriptAttack): Promise<Beside> {
  let seen = await once(pool, attack, 1);
  for (let attempt = 1; attempt < attempts && seen.lateMs > allowedMs; attempt += 1) {
    seen = await once(pool, attack, await slowness(pool));
  }
  return seen;
}
