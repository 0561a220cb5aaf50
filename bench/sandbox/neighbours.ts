/** Every attack of tests/attacks/scripts beside an innocent script on one thread: how late does the innocent one get? */
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { allowedMs, attackLimits, besideNeighbour } from '../../tests/attacks/scripts/beside.ts';
import { scriptAttacks } from '../../tests/attacks/scripts/read.ts';
import { median, met, show } from './row.ts';

export async function measureNeighbours(): Promise<void> {
  const pool = createScriptPool({ threads: 1 });
  const [first, ...rest] = scriptAttacks();
  await besideNeighbour(pool, first!);
  const times: { name: string; ms: number; lateMs: number }[] = [];
  for (const attack of [first!, ...rest]) {
    const { neighbourMs, lateMs } = await besideNeighbour(pool, attack);
    times.push({ name: attack.name, ms: neighbourMs, lateMs });
  }
  await pool.close();
  const latest = times.reduce((most, one) => (one.lateMs > most.lateMs ? one : most));
  const typical = `median ${median(times.map(({ ms }) => ms)).toFixed(0)} ms`;
  show(
    `neighbour of ${times.length} script attacks, deadline ${attackLimits.cpuMs} ms`,
    `${typical}, latest ${latest.ms.toFixed(0)} ms (${latest.name})`,
    met(latest.lateMs <= allowedMs, 'deadline + 1.5 s'),
  );
}
