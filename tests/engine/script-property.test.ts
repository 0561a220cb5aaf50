/** Random nested designs: the runtime and a reference interpreter must see the same calls, decisions and result. */
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import type { HostCall } from '../../activities/runtime/script/contract.ts';
import { hash32 } from '../../shared/random.ts';
import { partOf, play, systemText, userText } from './script-host.ts';
import { designs, interpret, textOf, type Design, type Oracle } from './script-reference.ts';

const pool = createScriptPool({ threads: 2 });
afterAll(() => pool.close());

const question = 'What is 6 times 7?';
const limits = { calls: 5000, pendingCalls: 5000, wallMs: 60_000, cpuTicks: 50_000, cpuMs: 20_000 };

/** Depends on all that the model sees, and on the place, so that any slip shows up as another answer. */
const oracleOf =
  (seed: number): Oracle =>
  ({ path, part, system, user }) => {
    const draw = hash32(JSON.stringify([path, part, system, user]), seed);
    if (draw % 11 === 0) return { text: 'no power', failed: true };
    const choice = (draw >>> 8) % 4;
    if (part === 'critic') return { text: ['ACCEPT', 'REVISE', 'INCORRECT', 'REVISE'][choice]!, failed: false };
    if (part === 'router') return { text: ['r0', 'r1', 'r2', 'nowhere'][choice]!, failed: false };
    return { text: choice === 3 ? 'I do not know.' : `Answer: ${choice}`, failed: false };
  };

it('runs 200 random designs as the reference interpreter does', async () => {
  await fc.assert(
    fc.asyncProperty(designs, fc.nat(), async (drawn, seed) => {
      // Drawn parts may be one object in two places; names go by object.
      const design = JSON.parse(JSON.stringify(drawn)) as Design;
      const names = new Map<Design, string>();
      const script = textOf(design, names);
      const oracle = oracleOf(seed);
      const expected = interpret(design, names, question, oracle);
      fc.pre(expected.calls.size <= 400);
      const asked: HostCall[] = [];
      const { outcome } = await play(pool, script, () => '', {
        limits,
        answersEqual: (left, right) => left === right,
        perform: async (call) => {
          const seen = { path: call.nodePath, part: partOf(call), system: systemText(call), user: userText(call) };
          const said = oracle(seen);
          asked.push(call);
          // Answers come back in an order of their own.
          if (call.call % 3 > 0) await new Promise((resolve) => setTimeout(resolve, hash32(call.hash, seed) % 3));
          return { text: said.text, promptTokens: 1, responseTokens: 1, status: said.failed ? 'failed' : 'ok' };
        },
      });
      expect(outcome.outcome).toBe(expected.result.failed ? 'failed-reply' : 'replied');
      if (!expected.result.failed) {
        expect(outcome.reply).toMatchObject({ text: expected.result.text, answer: expected.result.answer });
      }
      const calls = asked.map(
        (call) => [call.nodePath, { part: partOf(call), system: systemText(call), user: userText(call) }] as const,
      );
      expect(calls).toHaveLength(expected.calls.size);
      expect(Object.fromEntries(calls)).toEqual(Object.fromEntries(expected.calls));
      const details = outcome.structureTrace.nodes.map(({ nodePath, detail }) => [nodePath, detail]);
      expect(Object.fromEntries(details)).toEqual(Object.fromEntries(expected.details));
      expect(outcome.usage.calls).toBe(expected.calls.size);
    }),
    { numRuns: 200, seed: 20260601 },
  );
});
