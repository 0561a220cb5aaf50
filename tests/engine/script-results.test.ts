/**
 * What a script can read of every node's and tool's result (docs/script-language.md, "Replies"), and a way to each name
 * that an execution can end with. Values worked out by hand: one token a word in a reply, one a prompt.
 */
import { afterAll, describe, expect, it } from 'vitest';
import type { ScriptRun } from '../../activities/runtime/script/contract.ts';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { apiBuilders, apiReplyFields } from '../../shared/script/api.ts';
import { executionOutcomes } from '../../shared/script/outcomes.ts';
import type { ExecutionOutcome } from '../../shared/script/outcomes.ts';
import { partOf, play, systemText } from './script-host.ts';
import type { Voice } from './script-host.ts';

const pool = createScriptPool({ threads: 1 });
afterAll(() => pool.close());

/** `a`, `b`, ... answer with their own prompt; critics accept, routers name `sums`, `broken` fails, `cut` is cut off. */
const voice: Voice = (call) => {
  if (call.kind === 'tool') return { text: '42', answer: '42', promptTokens: 0, responseTokens: 0 };
  if (partOf(call) === 'critic') return 'ACCEPT';
  if (partOf(call) === 'router') return 'ROUTE: sums';
  const prompt = systemText(call);
  if (prompt === 'broken') return { status: 'failed', text: 'no power', promptTokens: 0, responseTokens: 0 };
  if (prompt === 'cut') return { status: 'length', text: 'It is' };
  return `Answer: ${prompt}`;
};
const usage = (calls: number, responseTokens: number, toolCalls = 0) => ({
  calls,
  promptTokens: calls,
  responseTokens,
  toolCalls,
});
const ok = { status: 'ok', error: null };
const counted = (answer: string, votes: number, members: string[]) => ({ answer, votes, members });

async function replyTo(expression: string): Promise<Record<string, unknown>> {
  const script = `return JSON.stringify(await ${expression})`;
  const { outcome } = await play(pool, script, voice, { allowAuthored: true, grantedTools: ['calculator'] });
  expect(outcome.error).toBeNull();
  return JSON.parse(outcome.reply!.text) as Record<string, unknown>;
}

const results: Record<string, Record<string, unknown>> = {
  "agent({ name: 'Ann', prompt: 'a' })": {
    ...{ ...ok, text: 'Answer: a', answer: 'a', name: 'Ann', usage: usage(1, 2), detail: null },
  },
  "agent('cut')": {
    ...{ text: 'It is', answer: null, status: 'length', name: 'agent1', usage: usage(1, 2), error: null, detail: null },
  },
  "agent('broken')": {
    ...{ text: '', answer: null, status: 'failed', name: 'agent1', error: 'no power', detail: null },
    usage: { calls: 1, promptTokens: 0, responseTokens: 0, toolCalls: 0 },
  },
  "ensemble(['a', 'b', 'b'])": {
    ...{ ...ok, text: 'Answer: b', answer: 'b', name: 'ensemble1', usage: usage(3, 6) },
    detail: {
      strategy: 'majority',
      votes: [counted('a', 1, ['agent1']), counted('b', 2, ['agent2', 'agent3'])],
      failed: [],
    },
  },
  // 0.1 + 0.2 is no more than 0.3: a tie, which the first seen wins.
  "ensemble({ members: ['a', 'b', 'b'], weights: [0.3, 0.1, 0.2] })": {
    ...{ ...ok, text: 'Answer: a', answer: 'a', name: 'ensemble1', usage: usage(3, 6) },
    detail: {
      strategy: 'weighted',
      votes: [counted('a', 0.3, ['agent1']), counted('b', 0.1 + 0.2, ['agent2', 'agent3'])],
      failed: [],
    },
  },
  "ensemble({ members: ['a', 'broken'], strategy: 'consensus', judge: 'c' })": {
    ...{ ...ok, text: 'Answer: c', answer: 'c', name: 'ensemble1' },
    usage: { calls: 3, promptTokens: 2, responseTokens: 4, toolCalls: 0 },
    detail: {
      ...{ strategy: 'consensus', votes: [counted('a', 1, ['agent1'])], failed: ['agent2'], judge: 'agent3' },
    },
  },
  "ensemble(['broken', 'broken'])": {
    ...{ text: '', answer: null, status: 'failed', name: 'ensemble1', error: 'all 2 members failed: no power' },
    usage: { calls: 2, promptTokens: 0, responseTokens: 0, toolCalls: 0 },
    detail: { strategy: 'majority', votes: [], failed: ['agent1', 'agent2'] },
  },
  "debate({ debaters: ['a', 'b'], rounds: 3, judge: 'c' })": {
    ...{ ...ok, text: 'Answer: c', answer: 'c', name: 'debate1', usage: usage(7, 14) },
    detail: {
      strategy: 'consensus',
      votes: [counted('a', 1, ['agent1']), counted('b', 1, ['agent2'])],
      failed: [],
      rounds: 3,
      judge: 'agent3',
    },
  },
  "reflect('a')": {
    ...{ ...ok, text: 'Answer: a', answer: 'a', name: 'reflect1', usage: usage(2, 3) },
    detail: { verdicts: ['ACCEPT'], ended: 'accepted' },
  },
  "route({ routes: { sums: 'a', words: 'b' }, by: 'chooser', default: 'words' })": {
    ...{ ...ok, text: 'Answer: a', answer: 'a', name: 'route1', usage: usage(2, 4) },
    detail: { route: 'sums', named: true },
  },
  "sequence('a', 'b', 'c')": {
    ...{ ...ok, text: 'Answer: c', answer: 'c', name: 'sequence1', usage: usage(3, 6) },
    detail: { steps: 3, of: 3 },
  },
  "loop({ body: 'a', until: (reply, turn) => turn === 2, max: 5 })": {
    ...{ ...ok, text: 'Answer: a', answer: 'a', name: 'loop1', usage: usage(2, 4) },
    detail: { turns: 2, ended: 'until' },
  },
  // A node's usage is that of all in it.
  "sequence([ensemble(['a', 'b']), reflect(debate(['a', 'b'], 1))])": {
    ...{ ...ok, text: 'Answer: a', answer: 'a', name: 'sequence1', usage: usage(5, 9) },
    detail: { steps: 2, of: 2 },
  },
  "tools.calculator('6 * 7')": {
    ...{ ...ok, text: '42', answer: '42', name: 'calculator', usage: usage(0, 0, 1), detail: null },
  },
};

describe('results', () => {
  it.each(Object.entries(results))('%s', async (expression, expected) => {
    const reply = await replyTo(expression);
    expect(reply).toEqual(expected);
    expect(Object.keys(reply).sort()).toEqual(apiReplyFields.map(({ name }) => name).sort());
  });

  it('cover every node of the language', () => {
    const shown = new Set(Object.keys(results).map((expression) => /^\w+/.exec(expression)![0]));
    for (const { name } of apiBuilders) expect(shown).toContain(name);
  });

  it('cannot be changed, and read as their text', async () => {
    const script = `const reply = await agent('a');
      let refused = 0;
      for (const change of [() => { reply.text = 'x'; }, () => { reply.usage.calls = 0; }, () => { delete reply.answer; }]) {
        try { change(); } catch { refused += 1; }
      }
      return [refused, String(reply), reply + '!', reply.text.length].join()`;
    const { outcome } = await play(pool, script, voice, { allowAuthored: true });
    expect(outcome.reply?.text).toBe('3,Answer: a,Answer: a!,9');
  });
});

interface Way {
  script: string;
  extra?: Partial<ScriptRun>;
}
const never: Partial<ScriptRun> = { perform: () => new Promise(() => {}) };
const limited = (limits: ScriptRun['limits'], more: Partial<ScriptRun> = {}) => ({ limits: limits!, ...more });
const twoTools = "await tools.calculator('1'); return tools.calculator('2')";
const journal: ScriptRun['journal'] = [
  {
    ...{ call: 0, hash: 'of-another-call', kind: 'model', nodePath: 'agent-1', agentName: 'agent1' },
    answer: { text: 'x', answer: null, promptTokens: 1, responseTokens: 1, status: 'ok' },
  },
];

/** The compiler asks for a way to each. */
const ways: Record<ExecutionOutcome, Way> = {
  replied: { script: "return agent('a')" },
  'failed-reply': { script: "return agent('broken')" },
  'authored-answer': { script: "await agent('a'); return 'Answer: a'" },
  'no-reply': { script: "await agent('a')" },
  'script-error': { script: "return agent('a').txt.length" },
  'waits-for-nothing': { script: "await new Promise(() => {}); return agent('a')" },
  'call-limit': { script: "return ensemble(['a', 'b'])", extra: limited({ calls: 1 }) },
  'tool-call-limit': { script: twoTools, extra: limited({ toolCalls: 1 }, { grantedTools: ['calculator'] }) },
  'pending-call-limit': { script: "return ensemble(['a', 'b'])", extra: limited({ pendingCalls: 1 }) },
  'prompt-token-limit': { script: "return agent('a')", extra: limited({ promptTokensPerCall: 0 }) },
  'response-token-limit': { script: "return agent('a')", extra: limited({ responseTokensPerCall: 1 }) },
  'total-token-limit': { script: "return sequence('a', 'b')", extra: limited({ totalTokens: 5 }) },
  'cpu-limit': { script: 'for (;;) {}', extra: limited({ cpuMs: 100, cpuTicks: 1e9 }) },
  'memory-limit': { script: 'const a = []; for (;;) a.push(Array(1e5).fill(0))', extra: limited({ memoryBytes: 8e6 }) },
  'wall-limit': { script: "return agent('a')", extra: limited({ wallMs: 50 }, never) },
  'script-length-limit': { script: "return agent('a')", extra: limited({ scriptChars: 10 }) },
  'request-length-limit': { script: "return agent('a')", extra: limited({ requestChars: 100 }) },
  'journal-diverged': { script: "return agent('a')", extra: { journal } },
};

describe('outcomes', () => {
  it.each(executionOutcomes)('%s', async (name) => {
    const { script, extra = {} } = ways[name];
    const { outcome } = await play(pool, script, voice, extra);
    expect(outcome.outcome).toBe(name);
    // Only a reply is without a reason.
    expect(outcome.error === null).toBe(name === 'replied');
    if (name !== 'replied') expect(outcome.reply?.answer ?? null).toBeNull();
  });
});
