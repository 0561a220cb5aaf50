/**
 * The journal through the real activity and the real store: executions of nested designs are cut off at random points
 * again and again, and no call that was stored is asked for a second time; a journal that no longer fits is retried from
 * scratch once.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readTrainingSequences } from '../../activities/policy/training-sequences.ts';
import { executeDesign } from '../../activities/rollout/execute-design.ts';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import type { CallDocument, ExecutionDocument } from '../../activities/store/documents.ts';
import { insertOnce } from '../../activities/store/write.ts';
import { hash32, integer } from '../../shared/random.ts';
import { missingTiers } from '../attacks/python/at-tiers.ts';
import { designs, interpret, textOf } from '../engine/script-reference.ts';
import type { Design } from '../engine/script-reference.ts';
import { scriptedRun } from '../helpers/scripted-rollout.ts';
import type { Speak } from '../helpers/scripted-rollout.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore({ uri: inject('stack').mongoUri, database: 'journal-cases' });
});
afterAll(() => store.close());

const limits = ['limits.calls=500', 'limits.pendingCalls=500', 'limits.cpuTicks=50000', 'limits.cpuMs=20000'];
const attempt = (number: number) => ({ name: `a#${number}`, signal: new AbortController().signal });
/** Depends on the seed only, so an execution says the same in every attempt, and each execution something else. */
const speak: Speak = (seedKey, prompt) => {
  const choice = hash32(seedKey, 3) % 3;
  if (prompt.includes('check')) return ['ACCEPT', 'REVISE', 'REVISE'][choice]!;
  if (prompt.includes('route r0')) return ['r0', 'r1', 'nowhere'][choice]!;
  return `#### ${choice}`;
};

/** Nested designs with enough calls to cut and few enough to be quick. */
function nestedDesigns(count: number): { script: string; calls: number }[] {
  const drawn = fc.sample(designs, { numRuns: 3000, seed: 99 }).map((one) => JSON.parse(JSON.stringify(one)) as Design);
  const sized = drawn.map((design) => {
    const names = new Map<Design, string>();
    const script = textOf(design, names);
    const { calls } = interpret(design, names, 'q', () => ({ text: 'Answer: 1', failed: false }));
    return { script, calls: calls.size };
  });
  const seen = new Set<string>();
  const fits = ({ script, calls }: (typeof sized)[number]) =>
    calls >= 6 && calls <= 24 && !seen.has(script) && seen.add(script) !== undefined;
  return sized.filter(fits).slice(0, count);
}

/** What must not depend on how often an execution was cut off. */
const essence = ({ outcome, reply, usage, trace }: ExecutionDocument) => ({ outcome, reply, usage, trace });
const callEssence = ({ call, hash, nodePath, seedKey, answer }: CallDocument) => ({
  call,
  hash,
  nodePath,
  seedKey,
  answer,
});
const stored = async (designId: string) => {
  const executions = await store.executions.find({ designId }).sort({ execution: 1 }).toArray();
  const calls = await store.calls
    .find({ executionId: { $in: executions.map(({ _id }) => _id) } })
    .sort({ _id: 1 })
    .toArray();
  return { executions: executions.map(essence), calls: calls.map(callEssence) };
};

describe('crash and resume', () => {
  it('asks no stored call again at 100 random cuts of four concurrent executions each', async () => {
    const [cut, whole] = [
      await scriptedRun(store, 'cut', speak, limits),
      await scriptedRun(store, 'whole', speak, limits),
    ];
    const cutsEach = 5;
    const chosen = nestedDesigns(20);
    expect(chosen).toHaveLength(20);
    let cuts = 0;
    for (const [number, { script }] of chosen.entries()) {
      const { id, input } = await cut.design(number, script);
      for (let n = 0; n < cutsEach; n += 1) {
        const seen = new Set(
          (await store.calls.find({ batchId: cut.batchId }).toArray()).map(({ seedKey }) => seedKey),
        );
        const before = cut.engine.answered.length;
        cut.engine.lives = before + integer(`lives/${number}`, n, 6);
        await expect(executeDesign(cut.deps, input, attempt(n))).rejects.toMatchObject({ name: 'EngineDied' });
        cuts += 1;
        expect(cut.engine.answered.slice(before).filter((seed) => seen.has(seed))).toEqual([]);
      }
      cut.engine.lives = Infinity;
      const result = await executeDesign(cut.deps, input, attempt(cutsEach));
      const twin = await whole.design(number, script);
      expect(result).toEqual(await executeDesign(whole.deps, twin.input, attempt(0)));
      expect(await stored(id)).toEqual(await stored(twin.id));
    }
    expect(cuts).toBe(100);
    // Executions are independent: they sampled different replies.
    const replies = await store.executions.find({ runId: 'whole', outcome: 'replied' }).toArray();
    expect(new Set(replies.map(({ reply }) => reply?.answer)).size).toBeGreaterThan(1);
    await Promise.all([cut.close(), whole.close()]);
  });
});

describe('a journal that no longer fits', () => {
  const script =
    "const [a, b] = await Promise.all([agent('one').run(), agent('two').run()]); return ensemble([a, b, 'three'])";
  const bend = (executionId: string) => store.calls.updateOne({ executionId, call: 1 }, { $set: { hash: 'another' } });

  it('is set aside and retried from scratch once, however often it is cut off', async () => {
    const run = await scriptedRun(store, 'diverged', speak);
    const { id, input } = await run.design(0, script);
    const one = { ...input, executions: 1 };
    const execution = `${id}/e-0`;
    run.engine.lives = 2;
    await expect(executeDesign(run.deps, one, attempt(1))).rejects.toMatchObject({ name: 'EngineDied' });
    const first = await store.calls.find({ executionId: execution }).sort({ call: 1 }).toArray();
    expect(first.length).toBeGreaterThan(0);
    await bend(execution);
    await store.calls.updateOne({ executionId: execution, call: 0 }, { $set: { hash: 'another' } });

    // The second start is cut off too: it goes on from its own journal.
    run.engine.lives = run.engine.answered.length + 2;
    await expect(executeDesign(run.deps, one, attempt(2))).rejects.toMatchObject({ name: 'EngineDied' });
    const aside = await store.calls
      .find({ executionId: `${execution}/aside` })
      .sort({ call: 1 })
      .toArray();
    expect(aside.map(({ call, attempt: name }) => [call, name])).toEqual(
      first.map(({ call, attempt: name }) => [call, name]),
    );
    run.engine.lives = Infinity;
    expect(await executeDesign(run.deps, one, attempt(3))).toEqual({ replied: 1, calls: 3 });
    const live = await store.calls.find({ executionId: execution }).toArray();
    expect(live.map(({ attempt: name }) => name).every((name) => name.endsWith('+afresh'))).toBe(true);

    // The same again finds its one retry used: an outcome by name, no third start.
    await store.executions.deleteOne({ _id: execution });
    await bend(execution);
    const answered = run.engine.answered.length;
    await executeDesign(run.deps, one, attempt(4));
    expect(await store.executions.findOne({ _id: execution })).toMatchObject({
      outcome: 'journal-diverged',
      reply: null,
    });
    expect(run.engine.answered).toHaveLength(answered);
    await run.close();
  });

  it('is set aside in full after a crash in the middle of it', async () => {
    const run = await scriptedRun(store, 'half-aside', speak);
    const { id, input } = await run.design(0, script);
    const one = { ...input, executions: 1 };
    const execution = `${id}/e-0`;
    run.engine.lives = 2;
    await expect(executeDesign(run.deps, one, attempt(1))).rejects.toMatchObject({ name: 'EngineDied' });
    const [first] = await store.calls.find({ executionId: execution }).sort({ call: 1 }).toArray();
    await insertOnce(store.calls, { ...first!, _id: `${execution}/aside/c-0000`, executionId: `${execution}/aside` });
    run.engine.lives = Infinity;
    expect(await executeDesign(run.deps, one, attempt(2))).toEqual({ replied: 1, calls: 3 });
    expect(await store.calls.countDocuments({ executionId: execution })).toBe(3);
    expect(await store.executions.findOne({ _id: execution })).toMatchObject({ replayedCalls: 0 });
    await run.close();
  });
});

describe('what a call leaves behind', () => {
  const python = [...missingTiers.values()].some((missing) => missing === null);
  if (!python) console.warn('SKIPPED: the python tool: no tier of the sandbox holds on this machine');

  it('keeps tools, their inputs and the tier', async () => {
    const tools = python ? '["calculator","python"]' : '["calculator"]';
    const run = await scriptedRun(store, 'tools', speak, [`designs.tools=${tools}`, ...limits]);
    const script = `const sum = await tools.calculator('2^10 - 1/4'); const bad = await tools.calculator('1/0');
      ${python ? "const printed = await tools.python('print(6 * 7)'); const broken = await tools.python('1 / 0');" : ''}
      memory.set('notes', [sum, bad${python ? ', printed, broken' : ''}].map((reply) => reply.status + ' ' + reply.text).join('; '));
      return sum`;
    const { id, input } = await run.design(0, script);
    await executeDesign(run.deps, { ...input, executions: 1 }, attempt(1));
    expect(await store.executions.findOne({ designId: id })).toMatchObject({
      outcome: 'replied',
      reply: { text: '1023.75', answer: '1023.75' },
      usage: { calls: 0, toolCalls: python ? 4 : 2 },
    });
    const calls = await store.calls
      .find({ executionId: `${id}/e-0` })
      .sort({ call: 1 })
      .toArray();
    expect(calls[0]).toMatchObject({ kind: 'tool', tool: { name: 'calculator', input: '2^10 - 1/4' }, messages: null });
    expect(calls[1]).toMatchObject({ answer: { status: 'failed', text: 'division by zero', answer: null } });
    if (python) {
      expect(calls[2]).toMatchObject({
        answer: { text: '42', answer: '42', data: { tier: expect.stringMatching(/^[ABC]$/) } },
      });
      expect(calls[3]!.answer).toMatchObject({
        status: 'failed',
        text: 'runtime-error: ZeroDivisionError: division by zero',
      });
    }
    await run.close();
  });

  it('lets no update trip over a prompt that was too long', async () => {
    const run = await scriptedRun(store, 'long', speak, ['limits.promptTokensPerCall=200']);
    const { id, input } = await run.design(0, "await agent('short'); return agent('word '.repeat(300))");
    await executeDesign(run.deps, { ...input, executions: 1 }, attempt(1));
    expect(await store.executions.findOne({ designId: id })).toMatchObject({
      outcome: 'prompt-token-limit',
      reply: null,
    });
    await insertOnce(store.credits, {
      _id: `${id}/e-0`,
      runId: 'long',
      batchId: run.batchId,
      rolloutId: 'r',
      role: 'executor',
      reward: 0,
      baseline: 0.5,
      advantage: -1,
      group: 'g',
      groupSize: 2,
    });
    const query = { batchId: run.batchId, role: 'executor' as const, dropZeroAdvantage: true };
    const sequences = await readTrainingSequences(store, query);
    expect(sequences.map(({ advantage }) => advantage)).toEqual([-1]);
    await run.close();
  });
});
