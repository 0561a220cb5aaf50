/** A process that runs one long script and prints how it ended: to be stopped and continued from outside. */
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { play } from './script-host.ts';

/** Processor time of the script on this machine; its limit leaves room for one that becomes slower meanwhile. */
const workMs = 800;
const limits = { cpuMs: 4 * workMs, cpuTicks: 1_000_000 };
const pool = createScriptPool({ threads: 1 });

async function run(turns: number, running: () => void = () => undefined) {
  const script = `
const first = await agent('start');
let sum = 0;
for (let i = 0; i < ${turns}; i++) sum = (sum + i) % 7;
return first;
`;
  const voice = () => {
    running();
    return 'Answer: 1';
  };
  return (await play(pool, script, voice, { limits })).outcome;
}

async function turnsOf(ms: number): Promise<number> {
  const few = 500_000;
  // The first one also starts the thread.
  await run(few);
  const before = process.cpuUsage();
  await run(few);
  const { user, system } = process.cpuUsage(before);
  return Math.round((few * 1000 * ms) / (user + system));
}

const { outcome, error } = await run(await turnsOf(workMs), () => console.log('running'));
console.log(JSON.stringify({ outcome, why: error?.message ?? null }));
await pool.close();
