/** A process that runs one long script and prints how it ended: to be stopped and continued from outside. */
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { play } from './script-host.ts';

const pool = createScriptPool({ threads: 1 });
const script = `
const first = await agent('start');
let sum = 0;
for (let i = 0; i < 4000000; i++) sum = (sum + i) % 7;
return first;
`;
const { outcome } = await play(
  pool,
  script,
  () => {
    console.log('running');
    return 'Answer: 1';
  },
  { limits: { cpuMs: 2_500, cpuTicks: 1_000_000 } },
);
console.log(JSON.stringify({ outcome: outcome.outcome, why: outcome.error?.message ?? null }));
await pool.close();
