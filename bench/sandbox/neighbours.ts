/** Every attack of tests/attacks/scripts beside an innocent script on one thread: how late does the innocent one get? */
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { scriptAttacks } from '../../tests/attacks/scripts/read.ts';
import { play } from '../../tests/engine/script-host.ts';
import { median, met, show } from './row.ts';

const limits = { cpuTicks: 3000, cpuMs: 500, memoryBytes: 24 * 2 ** 20 };
const innocent =
  "const a = await agent('a'); const b = await agent({ prompt: 'b', input: a }); return ensemble([a, b, 'c'])";

export async function measureNeighbours(): Promise<void> {
  const pool = createScriptPool({ threads: 1 });
  const voice = () => 'Answer: 42';
  await play(pool, innocent, voice);
  const times: { name: string; ms: number }[] = [];
  for (const { name, script, grants, text } of scriptAttacks()) {
    const attack = play(pool, script, voice, { limits, grantedTools: grants, allowAuthored: text !== null });
    const began = performance.now();
    await play(pool, innocent, voice);
    times.push({ name, ms: performance.now() - began });
    await attack;
  }
  await pool.close();
  const slowest = times.reduce((most, one) => (one.ms > most.ms ? one : most));
  const typical = `median ${median(times.map(({ ms }) => ms)).toFixed(0)} ms`;
  const late = slowest.ms - limits.cpuMs;
  show(`neighbour of ${times.length} script attacks, deadline ${limits.cpuMs} ms`, `${typical}, slowest ${slowest.ms.toFixed(0)} ms (${slowest.name})`, met(late <= 1500, 'deadline + 1.5 s')); // prettier-ignore
}
