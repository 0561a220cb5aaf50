/**
 * The attack corpus against the isolates. Every attack runs beside an innocent script on the same thread: the attack must
 * end as its header says, and the neighbour must finish with its own answer, in time. Attacks run inside isolates only.
 */
import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { allowedMs, besideNeighbour } from '../attacks/scripts/beside.ts';
import { scriptAttacks } from '../attacks/scripts/read.ts';

const attacks = scriptAttacks();

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

  it.each(attacks)('$name ends as $expected', async (one) => {
    const { expected, text } = one;
    const { attack, neighbour, lateMs } = await besideNeighbour(pool, one);
    const { outcome, asked } = attack;
    // Asked once each, however often the thread was lost.
    expect(neighbour.asked.map(({ call }) => call)).toEqual([0, 1, 2]);
    expect(neighbour.outcome).toMatchObject({ outcome: 'replied', reply: { answer: '0', call: 0 } });
    if (expected[0] === 'issued') {
      expect(outcome).toMatchObject({ outcome: 'replied', reply: { text: 'Answer: 42', answer: '42', call: 0 } });
    } else expect(expected).toContain(outcome.outcome);
    if (text !== null) expect(outcome.reply?.text).toBe(text);
    if (outcome.outcome === 'replied' && text === null) expect(outcome.reply?.text).toBe('Answer: 42');
    expect(asked.length).toBeLessThanOrEqual(96);
    expect(lateMs).toBeLessThanOrEqual(allowedMs);
  });

  it('leave no thread', async () => {
    expect(traces().ports).toBeGreaterThan(before.ports);
    await pool.close();
    // The system forgets a thread a moment after it has ended.
    await expect.poll(() => traces().threads).toBeLessThanOrEqual(before.threads);
    expect(traces().ports).toBe(before.ports);
  });
});
