/** The journal: crashes at random points, lost threads, divergence, and who is told about infrastructure failures. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { HostAnswer, HostCall, JournalRecord, ScriptRun } from '../../activities/runtime/script/contract.ts';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { DomainError } from '../../shared/errors.ts';
import { hash32, integer } from '../../shared/random.ts';
import { partOf, play, systemText, userText } from './script-host.ts';
import { designs, interpret, textOf, type Design, type Oracle } from './script-reference.ts';

const pool = createScriptPool({ threads: 2 });
afterAll(() => pool.close());

const limits = { calls: 5000, pendingCalls: 5000, cpuTicks: 50_000, cpuMs: 20_000 };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const oracle: Oracle = ({ path, part, system, user }) => {
  const draw = hash32(JSON.stringify([path, part, system, user]), 7);
  const choice = (draw >>> 8) % 3;
  if (part === 'critic') return { text: ['ACCEPT', 'REVISE', 'REVISE'][choice]!, failed: false };
  if (part === 'router') return { text: ['r0', 'r1', 'r2'][choice]!, failed: false };
  return { text: `Answer: ${choice}`, failed: draw % 13 === 0 };
};
const answerTo = (call: HostCall): HostAnswer => {
  const { text, failed } = oracle({
    path: call.nodePath,
    part: partOf(call),
    system: systemText(call),
    user: userText(call),
  });
  return { text, promptTokens: 2, responseTokens: 3, status: failed ? 'failed' : 'ok', data: { call: call.call } };
};

/** One attempt that dies with `EngineDied` once `survives` records are stored; every call and record is kept. */
async function attempt(
  script: string,
  journal: JournalRecord[],
  survives: number,
  run: string,
  extra: Partial<ScriptRun> = {},
) {
  const asked: HostCall[] = [];
  const died = new DomainError('EngineDied', 'the engine died');
  const finished = play(pool, script, () => '', {
    limits,
    journal: [...journal],
    answersEqual: (left, right) => left === right,
    perform: async (call) => {
      asked.push(call);
      await pause(integer(`${run}/${call.call}`, 0, 4));
      if (journal.length >= survives) throw died;
      return answerTo(call);
    },
    record: async (record) => {
      if (journal.length >= survives) throw died;
      journal.push(record);
      await pause(integer(`${run}/store/${record.call}`, 0, 2));
    },
    ...extra,
  });
  return {
    asked,
    outcome: await finished.then(
      ({ outcome }) => outcome,
      (error: unknown) => error,
    ),
    died,
  };
}

describe('crash and resume', () => {
  it('asks no finished call twice and gives identical results at 100 random cut points of nested designs', async () => {
    // Seeded, and only designs with enough calls to cut and few enough to be quick.
    const drawn = fc
      .sample(designs, { numRuns: 4000, seed: 4711 })
      .map((design) => JSON.parse(JSON.stringify(design)) as Design)
      .filter((design) => design.kind !== 'agent');
    let cuts = 0;
    let interrupted = 0;
    for (const design of drawn) {
      if (cuts === 100) break;
      const names = new Map<Design, string>();
      const script = textOf(design, names);
      const expected = interpret(design, names, 'What is 6 times 7?', oracle);
      const size = expected.calls.size;
      if (size < 6 || size > 60) continue;
      const journal: JournalRecord[] = [];
      const performed = new Map<number, number>();
      // Crash once, and every third time twice, at random points.
      const points = Array.from({ length: cuts % 3 === 0 ? 2 : 1 }, (_, i) => integer(`cut/${cuts}`, i, size)).sort(
        (a, b) => a - b,
      );
      for (const [i, point] of [...points, Infinity].entries()) {
        const stored = new Set(journal.map(({ call }) => call));
        const { asked, outcome, died } = await attempt(script, journal, point, `run/${cuts}/${i}`);
        for (const { call } of asked) {
          expect(stored.has(call)).toBe(false);
          performed.set(call, (performed.get(call) ?? 0) + 1);
        }
        if (point === Infinity) {
          expect(outcome).toMatchObject({
            outcome: expected.result.failed ? 'failed-reply' : 'replied',
            usage: { calls: size },
            replayedCalls: stored.size,
            ...(expected.result.failed
              ? {}
              : { reply: { text: expected.result.text, answer: expected.result.answer } }),
          });
        } else {
          expect(outcome).toBe(died);
          interrupted += 1;
        }
      }
      expect(performed.size).toBe(size);
      expect(new Set(journal.map(({ call }) => call)).size).toBe(journal.length);
      expect(journal.length).toBe(size);
      cuts += 1;
    }
    expect(cuts).toBe(100);
    expect(interrupted).toBe(134);
  });

  it('repeats what depends on the order of answers, on memory and on chance', async () => {
    const script = `const order = [];
      const agents = Array.from({ length: 8 }, (_, i) => agent('agent ' + i + ' ' + Math.random()).run().then(async (r) => {
        memory.append('order', String(i)); order.push(i);
        if (Math.random() < 0.6) await agent({ prompt: 'again ' + order.join(), memory: true }).run();
      }));
      await Promise.race(agents);
      await Promise.all(agents);
      return agent({ prompt: order.join() + Date.now() + Math.random(), memory: true })`;
    for (let round = 0; round < 30; round += 1) {
      const journal: JournalRecord[] = [];
      const first = await attempt(script, journal, Infinity, `order/${round}`);
      expect(first.outcome).toMatchObject({ outcome: expect.stringMatching(/^(replied|failed-reply)$/) });
      const again = await attempt(script, [...journal], Infinity, `order/${round}/again`);
      expect(again.asked).toEqual([]);
      expect(again.outcome).toEqual({ ...(first.outcome as object), replayedCalls: journal.length });
      // From a part of the journal, in any order, nothing of it is asked again.
      const part = journal.slice(0, integer(`order/${round}/part`, 0, journal.length));
      const stored = new Set(part.map(({ call }) => call));
      const resumed = await attempt(script, [...part].reverse(), Infinity, `order/${round}/resumed`);
      expect(resumed.outcome).toMatchObject({
        outcome: expect.stringMatching(/^(replied|failed-reply)$/),
        replayedCalls: part.length,
      });
      expect(resumed.asked.some(({ call }) => stored.has(call))).toBe(false);
    }
  });

  it('shows the same answers in the same order however fast they came, also to two attempts at once', async () => {
    const script = `const order = [];
      const agents = Array.from({ length: 6 }, (_, i) => agent('agent ' + i).run().then(async (r) => {
        memory.append('order', String(i)); order.push(i);
        if (i % 2 === 0) await agent({ prompt: 'again ' + order.join(), memory: true }).run();
      }));
      const first = await Promise.race([agent('x').run(), agent('y').run()]);
      await Promise.all(agents);
      return agent({ prompt: order.join() + first.text, memory: true })`;
    const words = (call: HostCall) => 1 + (hash32(call.hash, 3) % 5);
    const slow = (run: string, stored: Map<number, JournalRecord>): Partial<ScriptRun> => ({
      perform: async (call) => {
        await pause(integer(`${run}/${call.call}`, 0, 8));
        return { text: `Answer: ${call.hash}`, promptTokens: 2, responseTokens: words(call), status: 'ok' };
      },
      record: async (record) => {
        await pause(integer(`${run}/store/${record.call}`, 0, 4));
        if (!stored.has(record.call)) stored.set(record.call, record);
        return stored.get(record.call)!.answer;
      },
    });
    const fresh = new Map<number, JournalRecord>();
    const { outcome } = await attempt(script, [], Infinity, 'fresh', slow('fresh', fresh));
    expect(outcome).toMatchObject({ outcome: 'replied', usage: { calls: 12 } });
    for (let round = 0; round < 10; round += 1) {
      const shared = new Map<number, JournalRecord>();
      const twins = await Promise.all(
        ['a', 'b'].map((name) => attempt(script, [], Infinity, name, slow(`${name}/${round}`, shared))),
      );
      for (const twin of twins) expect(twin.outcome).toEqual(outcome);
      expect([...shared.values()].sort((a, b) => a.call - b.call)).toEqual(
        [...fresh.values()].sort((a, b) => a.call - b.call),
      );
    }
  });

  it('tells equal calls apart by their order of asking', async () => {
    const script =
      "const [a, b] = await Promise.all([agent({ name: 'x' }).run(), agent({ name: 'x' }).run()]); return agent({ input: [a, b] })";
    const journal: JournalRecord[] = [];
    const voice = {
      perform: async (call: HostCall): Promise<HostAnswer> => {
        // The first is answered after the second.
        while (call.call === 0 && journal.length === 0) await pause(1);
        return { text: `Answer: ${call.call}`, promptTokens: 1, responseTokens: 1, status: 'ok' };
      },
    };
    const first = await attempt(script, journal, Infinity, 'equal', voice);
    expect(journal.map(({ call }) => call)).toEqual([1, 0, 2]);
    expect(journal[0]!.hash).toBe(journal[1]!.hash);
    const again = await attempt(script, journal.slice(), Infinity, 'equal', {
      perform: () => Promise.reject(new Error('asked again')),
    });
    expect(again.outcome).toEqual({ ...(first.outcome as object), replayedCalls: 3 });
  });

  it('names a journal that does not belong to the script', async () => {
    const journal: JournalRecord[] = [];
    await attempt("return ensemble(['a', 'b'])", journal, Infinity, 'one');
    const changed = await attempt("return ensemble(['a', 'c'])", journal, Infinity, 'two');
    expect(changed.outcome).toMatchObject({ outcome: 'journal-diverged', reply: null });
    const shorter = await attempt(
      "return agent('other').then(() => new Promise(() => {}))",
      [{ ...journal[0]!, call: 5 }],
      Infinity,
      'three',
    );
    expect(shorter.outcome).toMatchObject({ outcome: 'journal-diverged' });
  });
});

describe('a lost thread', () => {
  it('ends the stuck script only; its neighbours finish and ask nothing twice', async () => {
    const single = createScriptPool({ threads: 1 });
    const stuck = play(single, "await agent('x'); Array.from({ length: 3e7 }).join('x'); null.x", () => 'x', {
      limits: { cpuMs: 400, cpuTicks: 1e9, memoryBytes: 1 << 30 },
    });
    const asked = new Map<string, number>();
    const neighbours = Array.from({ length: 20 }, (_, i) =>
      play(
        single,
        `const a = await agent('a'); const b = await ensemble([a, 'b', 'c']); return agent({ prompt: 'end', input: b })`,
        () => '',
        {
          perform: async (call) => {
            const key = `${i}/${call.call}`;
            asked.set(key, (asked.get(key) ?? 0) + 1);
            await pause(100 + 40 * call.call);
            return { text: `Answer: ${call.call}`, promptTokens: 1, responseTokens: 1, status: 'ok' };
          },
        },
      ),
    );
    const outcomes = await Promise.all(neighbours);
    for (const { outcome } of outcomes) expect(outcome).toMatchObject({ outcome: 'replied', reply: { answer: '3' } });
    expect([...asked.values()]).toEqual(Array.from({ length: 80 }, () => 1));
    expect((await stuck).outcome.outcome).toMatch(/cpu-limit|memory-limit/);
    await single.close();
  });
});

describe('infrastructure', () => {
  it('shows the script an answer only when its record is durable', async () => {
    const events: string[] = [];
    await play(pool, "await agent('a'); return agent('b')", () => '', {
      perform: async ({ call }) => {
        events.push(`ask ${call}`);
        return { text: 'x', promptTokens: 1, responseTokens: 1, status: 'ok' };
      },
      record: async ({ call }) => {
        await pause(20);
        events.push(`durable ${call}`);
      },
    });
    expect(events).toEqual(['ask 0', 'durable 0', 'ask 1', 'durable 1']);
  });

  it('rejects when a call or a record fails, or when the run is aborted, and cancels what waits', async () => {
    const unavailable = new DomainError('StoreUnavailable', 'no store');
    const storing = play(pool, "return agent('a')", () => 'x', { record: () => Promise.reject(unavailable) });
    await expect(storing).rejects.toBe(unavailable);
    const controller = new AbortController();
    let cancelled = false;
    const waiting = play(pool, "return agent('a')", () => '', {
      signal: controller.signal,
      perform: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            cancelled = true;
            reject(signal.reason as Error);
          });
          controller.abort(new Error('stop now'));
        }),
    });
    await expect(waiting).rejects.toThrow('stop now');
    expect(cancelled).toBe(true);
    const closing = createScriptPool({ threads: 1 });
    const running = play(closing, "return agent('a')", () => '', { perform: () => new Promise(() => {}) });
    const refused = expect(running).rejects.toMatchObject({ name: 'SandboxUnavailable' });
    await closing.close();
    await refused;
    await expect(play(closing, "return agent('a')", () => 'x')).rejects.toMatchObject({ name: 'SandboxUnavailable' });
  });
});

describe('limits', () => {
  const one = async (script: string, limit: object, extra: Partial<ScriptRun> = {}) =>
    (await play(pool, script, () => 'Answer: 1', { limits: limit, ...extra })).outcome.outcome;

  it('gives each its own outcome, and leaves what is within it alone', async () => {
    const three = "return ensemble(['a', 'b', 'c'])";
    expect(await one(three, { calls: 2 })).toBe('call-limit');
    expect(await one(three, { calls: 3 })).toBe('replied');
    expect(await one(three, { pendingCalls: 2 })).toBe('pending-call-limit');
    expect(await one(three, { totalTokens: 8 })).toBe('total-token-limit');
    expect(await one(three, { totalTokens: 9 })).toBe('replied');
    expect(await one(three, { responseTokensPerCall: 1 })).toBe('response-token-limit');
    expect(await one(three, { promptTokensPerCall: 0 })).toBe('prompt-token-limit');
    expect(await one(three, { scriptChars: 10 })).toBe('script-length-limit');
    expect(await one(three, { requestChars: 100 })).toBe('request-length-limit');
    const tools = "await tools.calculator('1'); return tools.calculator('2')";
    expect(await one(tools, { toolCalls: 1 }, { grantedTools: ['calculator'] })).toBe('tool-call-limit');
    expect(await one(tools, { toolCalls: 2 }, { grantedTools: ['calculator'] })).toBe('replied');
    expect(await one(three, { wallMs: 50 }, { perform: () => new Promise(() => {}) })).toBe('wall-limit');
    expect(await one('for (;;) {}', { cpuTicks: 50 })).toBe('cpu-limit');
    expect(await one('const a = []; for (;;) a.push(new Array(1e5).fill(0))', { memoryBytes: 8e6 })).toBe(
      'memory-limit',
    );
    const tooLong = async (): Promise<HostAnswer> => ({
      text: '',
      promptTokens: 99,
      responseTokens: 0,
      status: 'prompt-too-long',
    });
    expect(await one(three, {}, { perform: tooLong })).toBe('prompt-token-limit');
  });

  it('tells the script what is left', async () => {
    const script = `const before = [budget.calls, budget.toolCalls, budget.tokens]; await agent('a');
      return [...before, budget.calls, budget.toolCalls, budget.tokens].join()`;
    const { outcome } = await play(pool, script, () => 'two words', {
      limits: { calls: 5, toolCalls: 2, totalTokens: 100 },
      allowAuthored: true,
    });
    expect(outcome.reply).toEqual({ text: '5,2,100,4,2,97', answer: null, call: null, data: null });
  });

  it('counts the same work in ticks every time', async () => {
    const script = 'let n = 0; for (let i = 0; i < 1e6; i += 1) n += i; return agent(String(n))';
    const least = async (ticks: number) => (await one(script, { cpuTicks: ticks, cpuMs: 60_000 })) === 'replied';
    let low = 1;
    let high = 5000;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (await least(middle)) high = middle;
      else low = middle + 1;
    }
    expect(await Promise.all([least(low), least(low), least(low)])).toEqual([true, true, true]);
    expect(await Promise.all([least(low - 1), least(low - 1)])).toEqual([false, false]);
  });
});

describe('dry run', () => {
  it('tries every answer shape and counts calls', async () => {
    const request = { question: 'q', promptForm: 'terse' as const };
    const { shapes } = await pool.dryRun({ ...request, script: "return reflect('a')" });
    expect(shapes.map(({ shape, outcome }) => [shape, outcome.outcome, outcome.usage.calls])).toEqual([
      ['agreeing', 'replied', 2],
      ['disagreeing', 'replied', 5],
      ['no-answer', 'replied', 3],
      ['empty', 'replied', 3],
    ]);
    const routed = await pool.dryRun({
      ...request,
      promptForm: 'documented',
      script: "return route({ routes: { a: 'x', b: reflect('y') }, by: 'chooser', default: 'b' })",
    });
    expect(routed.shapes.map(({ outcome }) => outcome.usage.calls)).toEqual([2, 2, 4, 4]);
  });
});
