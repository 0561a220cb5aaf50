/** Every node's result, messages and usage against values worked out by hand. */
import { afterAll, describe, expect, it } from 'vitest';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { messagesOf, partOf, play, systemText, userText, type Voice } from './script-host.ts';

const pool = createScriptPool({ threads: 1 });
afterAll(() => pool.close());

const question = 'What is 6 times 7?';
/** Answers by the agent's system prompt. */
const bySystem =
  (answers: Record<string, string>): Voice =>
  (call) =>
    answers[systemText(call)] ?? `no answer for ${systemText(call)}`;

const replyOf = async (script: string, voice: Voice, extra = {}) => {
  const { outcome, asked } = await play(pool, script, voice, extra);
  expect(outcome.error).toBeNull();
  expect(outcome.outcome).toBe('replied');
  return { reply: outcome.reply!, usage: outcome.usage, asked, trace: outcome.structureTrace };
};
const detailOf = (trace: { nodes: readonly { nodePath: string; detail: unknown }[] }, path: string) =>
  trace.nodes.find((node) => node.nodePath === path)?.detail;

describe('agent', () => {
  it('asks once with the prompt as system and the question as user', async () => {
    const { reply, usage, asked } = await replyOf("return agent('steps')", () => 'It is so.\nAnswer: 42');
    expect(asked.map(messagesOf)).toEqual([
      [
        { role: 'system', content: 'steps' },
        { role: 'user', content: question },
      ],
    ]);
    expect(reply).toEqual({ text: 'It is so.\nAnswer: 42', answer: '42', call: 0, data: null });
    expect(usage).toEqual({ calls: 1, promptTokens: 1, responseTokens: 5, toolCalls: 0 });
  });

  it('runs once however often it is awaited, and afresh by run', async () => {
    const script = `const a = agent('x'); await a; await a; await Promise.all([a, a]); await a.run(); return a.run('other')`;
    const { asked } = await replyOf(script, () => 'Answer: 1');
    expect(asked.map(userText)).toEqual([question, question, 'other']);
    expect(asked.map((call) => call.nodePath)).toEqual(['agent-1', 'agent-2', 'agent-3']);
  });

  it('costs nothing when it is only built', async () => {
    const { asked } = await replyOf(
      "agent('unused'); ensemble([agent('a'), 'b']); return agent('used')",
      () => 'Answer: 1',
    );
    expect(asked.map(systemText)).toEqual(['used']);
  });

  it('shows replies given as input beside the question, and text instead of it', async () => {
    const script = `const a = await agent('first'); const b = agent({ prompt: 'second', input: a });
      return agent({ prompt: 'third', input: ['my task', a, b] })`;
    const { asked } = await replyOf(script, bySystem({ first: 'one', second: 'two', third: 'Answer: 3' }));
    expect(asked.map(userText)).toEqual([question, `${question}\n- one`, 'my task\n- one\n- two']);
    expect(asked.map((call) => call.from)).toEqual([[], ['agent-1'], ['agent-1', 'agent-3']]);
  });

  it('sees the memory keys that it is granted', async () => {
    const script = `memory.set('plan', await agent('planner')); memory.append('plan', 'then check'); memory.set('other', 'x');
      return agent({ prompt: 'solver', memory: ['plan'] })`;
    const { asked } = await replyOf(script, bySystem({ planner: 'multiply', solver: 'Answer: 42' }));
    expect(userText(asked[1]!)).toBe(`${question}\nplan: multiply\nthen check`);
  });

  it('uses a granted tool until it asks for none, and is cut off after maxTurns', async () => {
    const voice: Voice = (call) => {
      if (call.kind === 'tool') return '42';
      return call.turn === 0 ? 'Let me see.\ncalculator: 6*7' : 'Answer: 42';
    };
    const script = "return agent({ prompt: 'x', tools: ['calculator'] })";
    const { asked, usage, reply } = await replyOf(script, voice, { grantedTools: ['calculator'] });
    expect(asked.map(({ kind }) => kind)).toEqual(['model', 'tool', 'model']);
    expect(asked[1]).toMatchObject({ tool: 'calculator', input: '6*7', agentName: 'agent1', nodePath: 'agent-1' });
    expect(messagesOf(asked[2]).slice(2)).toEqual([
      { role: 'assistant', content: 'Let me see.\ncalculator: 6*7' },
      { role: 'user', content: '= 42' },
    ]);
    expect(usage).toMatchObject({ calls: 2, toolCalls: 1 });
    expect(reply.call).toBe(2);
    const endless = await replyOf(
      "return agent({ tools: 'calculator', maxTurns: 3 })",
      (call) => (call.kind === 'tool' ? '1' : 'calculator: 1'),
      { grantedTools: ['calculator'] },
    );
    expect(endless.asked.map(({ kind }) => kind)).toEqual(['model', 'tool', 'model', 'tool', 'model']);
    expect(userText(endless.asked[4]!)).toBe('= 1\nanswer');
  });

  it('never runs a tool that is not granted, and a plain program fence is an answer', async () => {
    const refused = await play(pool, "return agent({ tools: ['python'] })", () => 'x');
    expect(refused.outcome).toMatchObject({ outcome: 'script-error', error: { line: 1, column: 8 } });
    expect(refused.outcome.error?.message).toBe("TypeError: tool 'python' is not granted; granted: none");
    const fence = '```python\nprint(1)\n```';
    const { asked } = await replyOf("return agent({ tools: ['python'] })", () => fence, {
      grantedTools: ['python'],
      promptForm: 'documented',
    });
    expect(asked.map(({ kind }) => kind)).toEqual(['model']);
  });
});

describe('ensemble', () => {
  const three = bySystem({ a: 'Answer: 1', b: 'Answer: 2', c: 'So.\nAnswer: 2' });

  it('takes the largest group of equal answers', async () => {
    const { reply, trace } = await replyOf("return ensemble([agent('a'), agent('b'), agent('c')])", three);
    expect(reply).toMatchObject({ answer: '2', call: 1, text: 'Answer: 2' });
    expect(detailOf(trace, 'ensemble-1')).toEqual({
      strategy: 'majority',
      votes: [
        { answer: '1', votes: 1, members: ['agent1'] },
        { answer: '2', votes: 2, members: ['agent2', 'agent3'] },
      ],
      failed: [],
    });
  });

  it("groups by the verifier's equality", async () => {
    const voice = bySystem({ a: 'Answer: x', b: 'Answer: Y', c: 'Answer: y' });
    expect((await replyOf("return ensemble('a', 'b', 'c')", voice)).reply).toMatchObject({ answer: 'Y', call: 1 });
  });

  it('breaks ties by the first seen, whatever order the answers came in', async () => {
    const delays: Record<string, number> = { a: 30, b: 1 };
    const { outcome } = await play(pool, "return ensemble(['a', 'b'])", () => '', {
      perform: async (call) => {
        await new Promise((resolve) => setTimeout(resolve, delays[systemText(call)]));
        return { text: `Answer: ${systemText(call)}`, promptTokens: 1, responseTokens: 1, status: 'ok' };
      },
    });
    expect(outcome.reply?.answer).toBe('a');
  });

  it('does not count failed members or replies without an answer, and keeps names and weights in place', async () => {
    const voice: Voice = (call) =>
      systemText(call) === 'a'
        ? { status: 'failed', text: 'broken' }
        : systemText(call) === 'b'
          ? 'who knows'
          : 'Answer: 7';
    const script = `return ensemble({ members: [agent({ name: 'A', prompt: 'a' }), agent({ name: 'B', prompt: 'b' }),
      agent({ name: 'C', prompt: 'c' })], weights: [5, 3, 2] })`;
    const { reply, trace } = await replyOf(script, voice);
    expect(reply).toMatchObject({ answer: '7', call: 2 });
    expect(detailOf(trace, 'ensemble-1')).toEqual({
      strategy: 'weighted',
      votes: [{ answer: '7', votes: 2, members: ['C'] }],
      failed: ['A'],
    });
  });

  it('weighs votes by position or by name', async () => {
    const members =
      "[agent({ name: 'A', prompt: 'a' }), agent({ name: 'B', prompt: 'b' }), agent({ name: 'C', prompt: 'c' })]";
    const byPosition = await replyOf(`return ensemble({ members: ${members}, weights: [3, 1, 1] })`, three);
    expect(byPosition.reply.answer).toBe('1');
    const byName = await replyOf(`return ensemble({ members: ${members}, weights: { C: 1.5, B: 1, A: 2 } })`, three);
    expect(byName.reply.answer).toBe('2');
  });

  it('asks a judge for a consensus, showing good replies only, and for a tie', async () => {
    const voice: Voice = (call) =>
      call.kind === 'model' && call.part === 'judge'
        ? 'Answer: 9'
        : systemText(call) === 'a'
          ? { status: 'failed', text: 'broken' }
          : `Answer: ${systemText(call)}`;
    const { asked, reply } = await replyOf(
      "return ensemble({ members: ['a', 'b', 'c'], strategy: 'consensus' })",
      voice,
    );
    expect(userText(asked[3]!)).toBe(`judge\n${question}\n- Answer: b\n- Answer: c`);
    expect(asked[3]).toMatchObject({ agentName: 'judge', nodePath: 'ensemble-1/judge' });
    expect(reply.answer).toBe('9');
    const tie = await replyOf("return ensemble({ members: ['b', 'c'], judge: 'chair' })", voice);
    expect(tie.reply.answer).toBe('9');
    const clear = await replyOf("return ensemble({ members: ['b', 'b', 'c'], judge: 'chair' })", voice);
    expect(clear.asked).toHaveLength(3);
    expect(clear.reply.answer).toBe('b');
  });

  it('runs copies, and takes replies and promises of replies as members', async () => {
    const five = await replyOf("return ensemble(agent('x'), 5)", ({ call }) => `Answer: ${call === 4 ? 1 : call}`);
    expect(five.asked.map((call) => call.nodePath).at(-1)).toBe('ensemble-1/member-5');
    expect(five.reply).toMatchObject({ answer: '1', call: 1 });
    const script = `const r = await agent('a'); return ensemble([r, agent('b').run('other'), agent('c')])`;
    const mixed = await replyOf(script, three);
    expect(mixed.asked).toHaveLength(3);
    expect(mixed.reply.answer).toBe('2');
  });

  it('fails when every member fails, with the reason', async () => {
    const { outcome } = await play(pool, "return ensemble(['a', 'b'])", () => ({ status: 'failed', text: 'no power' }));
    expect(outcome).toMatchObject({ outcome: 'failed-reply', reply: null });
    expect(outcome.error?.message).toBe('all 2 members failed: no power');
  });

  it('keeps a member that throws from its neighbours', async () => {
    const { reply, trace } = await replyOf("return ensemble([() => { throw new Error('oops') }, 'b'])", three);
    expect(reply.answer).toBe('2');
    expect(detailOf(trace, 'ensemble-1')).toMatchObject({ failed: ['member 1'] });
  });
});

describe('debate', () => {
  it('shows everyone all replies of the round before, with the question, and ends in a vote', async () => {
    const voice: Voice = (call) => {
      const round = Number(/round-(\d)/.exec(call.nodePath)?.[1]);
      return round === 1 ? `Answer: ${systemText(call)}` : 'Answer: b';
    };
    const { asked, reply } = await replyOf("return debate(['a', 'b'])", voice);
    expect(asked.map((call) => [call.nodePath, userText(call)])).toEqual([
      ['debate-1/round-1/debater-1', question],
      ['debate-1/round-1/debater-2', question],
      ['debate-1/round-2/debater-1', `${question}\n- Answer: a\n- Answer: b`],
      ['debate-1/round-2/debater-2', `${question}\n- Answer: a\n- Answer: b`],
    ]);
    expect(reply).toMatchObject({ answer: 'b', call: 2 });
  });

  it('gives the judge the last round, and does not return a failed judge as an answer', async () => {
    const voice: Voice = (call) => (call.nodePath.endsWith('judge') ? 'Answer: J' : `Answer: ${call.call}`);
    const script = "return debate({ debaters: ['a', 'b'], rounds: 1, judge: 'chair' })";
    const { asked, reply } = await replyOf(script, voice);
    expect(userText(asked[2]!)).toBe(`judge\n${question}\n- Answer: 0\n- Answer: 1`);
    expect(reply.answer).toBe('J');
    const broken = await play(pool, script, (call) =>
      call.nodePath.endsWith('judge') ? { status: 'failed', text: 'gone' } : 'Answer: 1',
    );
    expect(broken.outcome).toMatchObject({ outcome: 'failed-reply', error: { message: 'gone' } });
  });

  it('keeps the last good reply of a debater that fails later', async () => {
    const voice: Voice = (call) =>
      call.nodePath === 'debate-1/round-2/debater-1' ? { status: 'failed', text: 'x' } : `Answer: ${systemText(call)}`;
    const { reply, trace } = await replyOf("return debate(['a', 'b'])", voice);
    expect(reply).toMatchObject({ answer: 'a', call: 0 });
    expect(detailOf(trace, 'debate-1')).toMatchObject({ rounds: 2, failed: [] });
  });
});

describe('reflect', () => {
  const part = partOf;
  const verdicts = (list: string[]): Voice => {
    let at = 0;
    return (call) => (part(call) === 'critic' ? list[at++]! : `Answer: ${call.call}`);
  };

  it('stops on ACCEPT with the draft', async () => {
    const { asked, reply, trace } = await replyOf("return reflect('a')", verdicts(['fine\nVERDICT: ACCEPT']));
    expect(asked.map(part)).toEqual(['agent', 'critic']);
    expect(userText(asked[1]!)).toBe(`check\n${question}\nAnswer: 0`);
    expect(reply.answer).toBe('0');
    expect(detailOf(trace, 'reflect-1')).toEqual({ verdicts: ['ACCEPT'], ended: 'accepted' });
  });

  it.each(['INCORRECT', 'CORRECT', 'UNACCEPTABLE: do not ACCEPT', 'ACCEPT\nREVISE', 'REVISE', ''])(
    'goes on after %j',
    async (verdict) => {
      const { asked, reply } = await replyOf("return reflect('a', 1)", verdicts([verdict]));
      expect(asked.map(part)).toEqual(['agent', 'critic', 'reviser']);
      expect(userText(asked[2]!)).toBe(`fix\n${question}\nAnswer: 0\n${verdict}`);
      expect(reply.answer).toBe('2');
    },
  );

  it('stops on no change, and keeps the draft when a revision or the critic fails', async () => {
    const same = await replyOf("return reflect('a', 5)", (call) => (part(call) === 'critic' ? 'REVISE' : 'Answer: 1'));
    expect(same.asked).toHaveLength(3);
    expect(same.reply.call).toBe(0);
    expect(detailOf(same.trace, 'reflect-1')).toMatchObject({ ended: 'no change' });
    const failing =
      (which: string): Voice =>
      (call) =>
        part(call) === which ? { status: 'failed', text: 'x' } : part(call) === 'critic' ? 'REVISE' : 'Answer: 1';
    const revision = await replyOf("return reflect('a')", failing('reviser'));
    expect(detailOf(revision.trace, 'reflect-1')).toMatchObject({ ended: 'revision failed' });
    expect(revision.reply.call).toBe(0);
    const critic = await replyOf("return reflect('a')", failing('critic'));
    expect(detailOf(critic.trace, 'reflect-1')).toEqual({ verdicts: [null], ended: 'critic failed' });
  });

  it('takes the verdict of an ensemble of critics by vote', async () => {
    const voice: Voice = (call) =>
      part(call) !== 'critic' ? 'Answer: 1' : systemText(call) === 'z' ? 'REVISE' : 'ACCEPT';
    const { reply, trace } = await replyOf("return reflect({ agent: 'a', critic: ensemble(['x', 'y', 'z']) })", voice);
    expect(reply.call).toBe(0);
    expect(detailOf(trace, 'reflect-1')).toEqual({ verdicts: ['ACCEPT'], ended: 'accepted' });
  });
});

describe('route', () => {
  const script = (by: string) => `return route({ routes: { sums: 'a', words: 'b' }, by: ${by}, default: 'words' })`;

  it('goes where a function or a model says', async () => {
    const voice: Voice = (call) =>
      call.nodePath.endsWith('choice') ? 'It adds.\nROUTE: sums' : `Answer: ${systemText(call)}`;
    expect((await replyOf(script("q => (q.includes('times') ? 'sums' : 'words')"), voice)).reply.answer).toBe('a');
    const { asked, reply } = await replyOf(script("'chooser'"), voice);
    expect(userText(asked[0]!)).toBe(`route sums|words\n${question}`);
    expect(reply.answer).toBe('a');
  });

  it.each(['sums or words', 'ROUTE: other', '', 'sum'])('takes the default after %j', async (said) => {
    const voice: Voice = (call) => (call.nodePath.endsWith('choice') ? said : `Answer: ${systemText(call)}`);
    const { reply, trace } = await replyOf(script("agent('chooser')"), voice);
    expect(reply.answer).toBe('b');
    expect(detailOf(trace, 'route-1')).toEqual({ route: 'words', named: false });
  });

  it('requires a default that exists', async () => {
    const without = await play(pool, "return route({ routes: { a: 'x' }, by: () => 'a' })", () => 'x');
    expect(without.outcome.error?.message).toBe('TypeError: route: default is missing');
    const unknown = await play(pool, "return route({ routes: { a: 'x' }, by: () => 'a', default: 'b' })", () => 'x');
    expect(unknown.outcome.error?.message).toBe('TypeError: route: default must be one of a; got the text "b"');
  });
});

describe('sequence and loop', () => {
  it('shows each step the reply before it, and stops at a failure', async () => {
    const voice = bySystem({ plan: 'multiply', solve: 'Answer: 42', check: 'Answer: 42!' });
    const { asked, reply } = await replyOf("return sequence('plan', 'solve', 'check')", voice);
    expect(asked.map(userText)).toEqual([question, `${question}\n- multiply`, `${question}\n- Answer: 42`]);
    expect(reply.answer).toBe('42!');
    const failing: Voice = (call) => (systemText(call) === 'solve' ? { status: 'failed', text: 'no' } : 'x');
    const broken = await play(pool, "return sequence(['plan', 'solve', 'check'])", failing);
    expect(broken.asked).toHaveLength(2);
    expect(broken.outcome).toMatchObject({ outcome: 'failed-reply', error: { message: 'no' } });
  });

  it('repeats until a function or a critic is content, at most max times', async () => {
    const voice: Voice = (call) =>
      call.kind === 'model' && call.part === 'critic' ? (call.call > 3 ? 'ACCEPT' : 'REVISE') : `Answer: ${call.call}`;
    const byFunction = await replyOf("return loop({ body: 'x', until: (r, turn) => r.answer === '2', max: 9 })", voice);
    expect(byFunction.asked.map(userText)).toEqual([question, `${question}\n- Answer: 0`, `${question}\n- Answer: 1`]);
    const byCritic = await replyOf("return loop({ body: 'x', until: 'critic', max: 9 })", voice);
    expect(byCritic.asked).toHaveLength(6);
    const bounded = await replyOf("return loop({ body: (before, turn) => agent('turn ' + turn) })", voice);
    expect(bounded.asked.map(systemText)).toEqual(['turn 1', 'turn 2', 'turn 3']);
  });
});

describe('nesting', () => {
  it('passes the task and the part through every level', async () => {
    const script = `return reflect({
      agent: ensemble([sequence(['plan', 'solve']), debate({ debaters: ['d', 'e'], rounds: 1 })]),
      critic: route({ routes: { strict: 's', kind: 'k' }, by: () => 'strict', default: 'kind' }), rounds: 1 })`;
    const voice: Voice = (call) =>
      call.kind === 'model' && call.part === 'critic' ? 'REVISE' : `Answer: ${call.call}`;
    const { asked, usage } = await replyOf(script, voice);
    expect(asked.map((call) => [call.nodePath, partOf(call)])).toEqual([
      ['reflect-1/draft/member-1/step-1', 'agent'],
      ['reflect-1/draft/member-2/round-1/debater-1', 'debater'],
      ['reflect-1/draft/member-2/round-1/debater-2', 'debater'],
      ['reflect-1/draft/member-1/step-2', 'agent'],
      ['reflect-1/critic-1/route-strict', 'critic'],
      ['reflect-1/revision-1/member-1/step-1', 'reviser'],
      ['reflect-1/revision-1/member-2/round-1/debater-1', 'reviser'],
      ['reflect-1/revision-1/member-2/round-1/debater-2', 'reviser'],
      ['reflect-1/revision-1/member-1/step-2', 'reviser'],
    ]);
    expect(usage.calls).toBe(9);
  });
});
