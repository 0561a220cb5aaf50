/** 1,000 scripts that wait for a call at the same time, then go on for four more: memory of the whole process. */
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { play } from '../../tests/engine/script-host.ts';
import { met, show } from './row.ts';

const count = 1000;
const mib = 2 ** 20;

export async function measureFlight(): Promise<void> {
  const pool = createScriptPool({ threads: 1 });
  await play(pool, "return agent('warm')", () => 'Answer: 1');
  const before = process.memoryUsage.rss();
  const began = performance.now();
  let waiting = 0;
  let open!: () => void;
  const everybody = new Promise<void>((resolve) => (open = resolve));
  let most = before;
  const look = () => (most = Math.max(most, process.memoryUsage.rss()));
  const watch = setInterval(look, 50);
  let allAskedMs = 0;
  const outcomes = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const text = `const a = await agent('first ${i}'); const b = await ensemble([a, 'b', 'c']); return agent({ input: b })`;
      const { outcome } = await play(pool, text, () => '', {
        perform: async ({ call }) => {
          if (call === 0 && ++waiting === count) {
            allAskedMs = performance.now() - began;
            look();
            open();
          }
          await everybody;
          return { text: `Answer: ${i}`, promptTokens: 1, responseTokens: 1, status: 'ok' };
        },
      });
      return outcome.reply?.answer;
    }),
  );
  clearInterval(watch);
  if (outcomes.some((answer, i) => answer !== String(i))) throw new Error('a script did not give its own answer');
  const seconds = (performance.now() - began) / 1000;
  const peak = `${Math.round(most / mib)} MiB, of them ${Math.round((most - before) / mib)} for the scripts`;
  show(`${count} scripts in flight: peak of the process`, peak, met(most < 10 ** 9, '< 1 GB'));
  show(`${count} scripts: all waiting, all ended`, `${(allAskedMs / 1000).toFixed(1)} s, ${seconds.toFixed(1)} s`);
  await pool.close();
}
