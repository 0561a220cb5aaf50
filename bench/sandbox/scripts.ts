/** Light scripts: five calls that are answered at once, 64 scripts at a time on one thread. */
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { play } from '../../tests/engine/script-host.ts';
import { median, met, show } from './row.ts';

const script =
  "const a = await agent('a'); const b = await ensemble([a, 'b', 'c', 'd']); return agent({ prompt: 'end', input: b })";
const rounds = 5;
const perRound = 400;
const atOnce = 64;

export async function measureScripts(): Promise<void> {
  const pool = createScriptPool({ threads: 1, scriptsPerThread: atOnce });
  const one = () => play(pool, script, ({ call }) => `Answer: ${call}`);
  await Promise.all(Array.from({ length: 100 }, one));
  const rates: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    const all = await Promise.all(Array.from({ length: perRound }, one));
    rates.push((perRound / (performance.now() - began)) * 1000);
    if (all.some(({ outcome }) => outcome.outcome !== 'replied')) throw new Error('a script did not reply');
  }
  const rate = median(rates);
  const range = `${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)}`;
  show(
    'light scripts, one thread (5 calls each)',
    `${rate.toFixed(0)} a second (${range})`,
    met(rate >= 100, '>= 100'),
  );
  await pool.close();
}
