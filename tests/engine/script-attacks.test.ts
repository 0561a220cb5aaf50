/**
 * The attack corpus against the isolates. Every attack runs beside an innocent script on the same thread: the attack must
 * end as its header says, and the neighbour must finish with its own answer. Attacks run inside isolates only.
 */
import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { scriptAttacks } from '../attacks/scripts/read.ts';
import { play } from './script-host.ts';

const attacks = scriptAttacks();
const limits = { cpuTicks: 3000, cpuMs: 500, memoryBytes: 24 * 1024 * 1024 };
const neighbour =
  "const a = await agent('a'); const b = await agent({ prompt: 'b', input: a }); return ensemble([a, b, 'c'])";
/** Threads of this process, and what its event loop waits for: a pool may leave nothing of either. */
const traces = () => ({
  threads: readdirSync('/proc/self/task').length,
  ports: process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length,
});
const before = traces();
const pool = createScriptPool({ threads: 1 });
afterAll(() => pool.close());

describe('attacks', () => {
  it('has enough of them', () => {
    expect(attacks.length).toBeGreaterThanOrEqual(60);
  });

  it.each(attacks)('$name ends as $expected', { timeout: 30_000 }, async ({ script, expected, text, grants }) => {
    const started = performance.now();
    const attack = play(pool, script, () => 'Answer: 42', {
      limits,
      allowAuthored: text !== null,
      grantedTools: grants,
    });
    const innocent = await play(pool, neighbour, ({ call }) => `Answer: ${call}`);
    const neighbourMs = performance.now() - started;
    const { outcome, asked } = await attack;
    // Asked once each, however often the thread was lost.
    expect(innocent.asked.map(({ call }) => call)).toEqual([0, 1, 2]);
    expect(innocent.outcome).toMatchObject({ outcome: 'replied', reply: { answer: '0', call: 0 } });
    if (expected[0] === 'issued') {
      expect(outcome).toMatchObject({ outcome: 'replied', reply: { text: 'Answer: 42', answer: '42', call: 0 } });
    } else expect(expected).toContain(outcome.outcome);
    if (text !== null) expect(outcome.reply?.text).toBe(text);
    if (outcome.outcome === 'replied' && text === null) expect(outcome.reply?.text).toBe('Answer: 42');
    expect(asked.length).toBeLessThanOrEqual(96);
    // Deadline plus 1.5 s, with room for a busy machine; the bench gives the figure.
    expect(neighbourMs).toBeLessThan(limits.cpuMs + 8_000);
  });

  it('leave no thread', async () => {
    expect(traces().ports).toBe(before.ports + 1);
    await pool.close();
    const after = traces();
    expect(after.ports).toBe(before.ports);
    expect(after.threads).toBeLessThanOrEqual(before.threads);
  });
});
