/** Real calls of a smoke run as the simulation's material: a sample of latencies and replies of each role. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readTokenizer } from '../../activities/policy/tokenizer-file.ts';
import { PolicyTokenizer } from '../../activities/runtime/tokenizer/policy-tokenizer.ts';
import { quantile } from '../sandbox/row.ts';
import { startFleet } from './fleet.ts';
import { smokeWorkers } from './smoke.ts';
import type { GenerateLine } from './trace.ts';
import { train } from './train.ts';

const kept = 200;

export async function recordCalls(): Promise<void> {
  const tokenizer = PolicyTokenizer.load(await readTokenizer('toy'));
  const fleet = await startFleet(smokeWorkers);
  try {
    await train(fleet, 'scale-record', [
      'rollout.questionsPerIteration=16',
      'rollout.designsPerQuestion=4',
      'rollout.executionsPerDesign=4',
    ]);
    const calls = (await fleet.endWorkers()).filter((line): line is GenerateLine => line.kind === 'generate');
    const sampleOf = (isExecutor: boolean) => {
      const own = calls.filter(({ seedKey }) => seedKey.includes('/e-') === isExecutor).sort((a, b) => a.ms - b.ms);
      const step = Math.max(1, own.length / kept);
      const chosen = Array.from({ length: Math.min(kept, own.length) }, (_, index) => own[Math.floor(index * step)]!);
      const ms = own.map((call) => call.ms);
      console.log(
        isExecutor ? 'executor' : 'designer',
        own.length,
        'calls, ms at 10, 50, 90 %:',
        ...[0.1, 0.5, 0.9].map((share) => quantile(ms, share).toFixed(0)),
      );
      return chosen.map(({ ms, tokenIds }) => ({
        ms: Math.round(ms),
        text: tokenizer.decode(Int32Array.from(tokenIds!)),
      }));
    };
    const path = fileURLToPath(new URL('calls.json', import.meta.url));
    await writeFile(path, `${JSON.stringify({ designer: sampleOf(false), executor: sampleOf(true) })}\n`);
  } finally {
    await fleet.stop();
  }
}
