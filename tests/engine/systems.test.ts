/** Every fixed system's script, in both forms and at several budgets, run in the real isolate with scripted answers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScriptPool } from '../../activities/runtime/script/contract.ts';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { checkScript } from '../../shared/script/check.ts';
import type { PromptForm } from '../../shared/script/prompts.ts';
import { checkBudget, parseBudget, systemOf, systems } from '../../shared/systems/registry.ts';
import { limitsWithin } from '../../shared/systems/source.ts';
import type { Budget, FixedSystem } from '../../shared/systems/system.ts';
import { partOf, play, systemText } from './script-host.ts';

let pool: ScriptPool;
beforeAll(() => void (pool = createScriptPool({ threads: 1 })));
afterAll(() => pool.close());

const fixed = systems.filter((system): system is FixedSystem => system.kind === 'fixed');
const forms: PromptForm[] = ['terse', 'documented'];
const calls = (amount: number): Budget => ({ unit: 'calls', amount });
const scriptOf = (name: string, budget: Budget | null, form: PromptForm = 'terse', callLimit = 12) => {
  const system = systemOf(name);
  if (system.kind !== 'fixed') throw new Error(name);
  return system.script({ form, budget, callLimit });
};

describe('fixed systems', () => {
  const cases = fixed.flatMap((system) =>
    forms.flatMap((form) =>
      [null, 1, 3, 5, 8].flatMap((amount) => {
        const budget = amount === null ? null : calls(amount);
        return amount !== null && amount < system.leastCalls ? [] : [[system.name, form, budget] as const];
      }),
    ),
  );
  it.each(cases)('%s, %s, %j: valid, and within its calls whatever the agents say', async (name, form, budget) => {
    const script = scriptOf(name, budget, form);
    expect(checkScript(script).problems).toEqual([]);
    // Everybody disagrees and no critic accepts: the dearest course.
    let said = 0;
    const { outcome, asked } = await play(
      pool,
      script,
      (call) => (partOf(call) === 'critic' ? 'REVISE' : `Answer: ${said++}`),
      { promptForm: form, limits: { calls: budget?.amount ?? 12 } },
    );
    expect(outcome.outcome).toBe('replied');
    if (budget !== null) expect(asked.length).toBeLessThanOrEqual(budget.amount);
  });

  it('spend a matched budget', async () => {
    const spent = async (name: string, amount: number) => {
      let said = 0;
      const voice = (call: Parameters<typeof partOf>[0]) =>
        partOf(call) === 'critic' ? 'REVISE' : `Answer: ${said++}`;
      return (await play(pool, scriptOf(name, calls(amount)), voice)).asked.length;
    };
    expect(await spent('single-agent', 7)).toBe(1);
    expect(await spent('self-consistency', 7)).toBe(7);
    // Six members tie, the judge is asked.
    expect(await spent('ensemble', 7)).toBe(7);
    // 2 debaters × 3 rounds and a judge; a draft and 3 reviews with revisions.
    expect(await spent('debate', 7)).toBe(7);
    expect(await spent('reflection', 7)).toBe(7);
  });

  it('self-consistency draws until a token budget is spent', async () => {
    // Each answer costs 1 prompt token and 2 words: 3 tokens. 4 answers make 12; a fifth would pass 14.
    const script = scriptOf('self-consistency', { unit: 'tokens', amount: 14 });
    expect(checkScript(script).problems).toEqual([]);
    const { outcome, asked } = await play(pool, script, (call) => `Answer: ${call.call === 0 ? 1 : 2}`);
    expect(asked).toHaveLength(4);
    expect(outcome.reply?.answer).toBe('2');
    expect(outcome.usage.promptTokens + outcome.usage.responseTokens).toBe(12);
  });

  it('ensemble asks for different approaches', async () => {
    const { asked } = await play(pool, scriptOf('ensemble', null, 'documented'), () => 'Answer: 1', {
      promptForm: 'documented',
    });
    expect(new Set(asked.map(systemText)).size).toBe(3);
  });

  it('refuse budgets that they cannot keep', () => {
    const refused = (name: string, budget: Budget) => () => checkBudget(systemOf(name) as FixedSystem, budget);
    expect(refused('debate', calls(2))).toThrow(/at least 3 calls/);
    expect(refused('debate', { unit: 'tokens', amount: 900 })).toThrow(/sized by calls/);
    expect(refused('self-consistency', { unit: 'tokens', amount: 900 })).not.toThrow();
    expect(() => systemOf('aflwo')).toThrow(/single-agent, self-consistency/);
  });
});

describe('budgets', () => {
  const limits = { calls: 12, totalTokens: 1000 };
  it('leave the execution what the design did not take', () => {
    const design = { calls: 1, tokens: 300 };
    expect(limitsWithin(limits, null, design)).toEqual(limits);
    expect(limitsWithin(limits, calls(20), design)).toEqual({ calls: 19, totalTokens: 1000 });
    expect(limitsWithin(limits, calls(1), design)).toEqual({ calls: 0, totalTokens: 1000 });
    expect(limitsWithin(limits, { unit: 'tokens', amount: 800 }, design)).toEqual({ calls: 12, totalTokens: 500 });
    expect(limitsWithin(limits, { unit: 'tokens', amount: 200 }, design)).toEqual({ calls: 12, totalTokens: 0 });
  });

  it('are written as unit=n', () => {
    expect(parseBudget('calls=8')).toEqual(calls(8));
    for (const text of ['8', 'calls=', 'calls=0', 'calls=-1', 'turns=3', 'tokens=1.5']) {
      expect(() => parseBudget(text)).toThrow(/calls=N or tokens=N/);
    }
  });
});

describe('the language of limits', () => {
  it('a design that has no call left ends as call-limit', async () => {
    const { outcome, asked } = await play(pool, "return agent('steps')", () => 'Answer: 1', { limits: { calls: 0 } });
    expect(outcome.outcome).toBe('call-limit');
    expect(asked).toHaveLength(0);
  });
});
