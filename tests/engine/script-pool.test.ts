/** What the pool does when scripts together hold too much, when there are very many, and when a thread fails. */
import { describe, expect, it } from 'vitest';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import type { HostCall } from '../../activities/runtime/script/contract.ts';
import { play } from './script-host.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const mib = 1 << 20;

/** Answers after a while; counts how often each call of each script is asked. */
function slowVoice(asked: Map<string, number>, script: number, ms: number) {
  return async ({ call }: HostCall) => {
    const key = `${script}/${call}`;
    asked.set(key, (asked.get(key) ?? 0) + 1);
    await pause(ms);
    return { text: `Answer: ${call}`, promptTokens: 1, responseTokens: 1, status: 'ok' as const };
  };
}

describe('memory of all scripts together', () => {
  it('is kept: the largest scripts wait their turn, and nothing is asked twice', async () => {
    const pool = createScriptPool({ threads: 1, memoryBytes: 128 * mib });
    const asked = new Map<string, number>();
    const script = `const held = new Uint8Array(20 * 1024 * 1024).fill(1);
      await agent('first'); await agent('second'); if (held[7] !== 1) throw new Error('lost'); return agent('third')`;
    const before = process.memoryUsage.rss();
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss() - before)), 10);
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        play(pool, script, () => '', { perform: slowVoice(asked, i, 40), limits: { memoryBytes: 32 * mib } }),
      ),
    );
    clearInterval(watch);
    for (const { outcome } of outcomes) expect(outcome).toMatchObject({ outcome: 'replied', reply: { answer: '2' } });
    expect([...asked.values()]).toEqual(Array.from({ length: 120 }, () => 1));
    // All at once they would hold more than 800 MiB.
    expect(most / mib).toBeLessThan(400);
    await pool.close();
  });
});

describe('very many scripts in flight', () => {
  it('wait at the same time, and all end with their own answer', async () => {
    const pool = createScriptPool({ threads: 1 });
    const count = 250;
    let inFlight = 0;
    let open!: () => void;
    const all = new Promise<void>((resolve) => (open = resolve));
    const outcomes = await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const { outcome } = await play(pool, `return agent('script ${i}')`, () => '', {
          perform: async () => {
            // Nobody is answered before everybody has asked.
            if (++inFlight === count) open();
            await all;
            return { text: `Answer: ${i}`, promptTokens: 1, responseTokens: 1, status: 'ok' };
          },
        });
        return outcome;
      }),
    );
    expect(outcomes.map(({ reply }) => reply?.answer)).toEqual(Array.from({ length: count }, (_, i) => String(i)));
    await pool.close();
  });
});

describe('time', () => {
  it('starts to count when a script first runs, not while it waits for a place', async () => {
    const pool = createScriptPool({ threads: 1, scriptsPerThread: 1 });
    const wallMs = 2_000;
    const first = play(pool, "return agent('a')", () => '', {
      perform: async () => {
        await pause(wallMs + 500);
        return { text: 'Answer: 1', promptTokens: 1, responseTokens: 1, status: 'ok' };
      },
    });
    const second = play(pool, "return agent('b')", () => 'Answer: 2', { limits: { wallMs } });
    for (const { outcome } of [await first, await second]) expect(outcome.outcome).toBe('replied');
    await pool.close();
  });
});
