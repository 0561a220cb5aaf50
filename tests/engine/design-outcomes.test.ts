/** A way to each name that a Designer's reply can be stored under, and the prompt's own examples through the same judge. */
import { afterAll, describe, expect, it } from 'vitest';
import { judgeDesign } from '../../activities/rollout/judge-design.ts';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { resolveRecipe } from '../../shared/config/resolve-recipe.ts';
import { designerExamples } from '../../shared/script/designer-prompts.ts';
import { designOutcomes } from '../../shared/script/outcomes.ts';
import type { DesignOutcome } from '../../shared/script/outcomes.ts';

const pool = createScriptPool({ threads: 1 });
afterAll(() => pool.close());

const recipe = resolveRecipe(
  {
    name: 'mine',
    description: 'A recipe of the tests.',
    policy: { init: { type: 'checkpoint', directory: 'model' } },
    questions: { train: { type: 'toy', count: 4 }, heldOut: { type: 'toy', count: 2 } },
    prompts: { form: 'documented' },
    limits: { calls: 6, scriptChars: 1_000, literalChars: 100 },
  },
  'mine',
);
const { signal } = new AbortController();
const judge = (reply: string) => judgeDesign(pool, { reply, question: 'What is 6 times 7?', recipe, signal });
const fenced = (script: string) => `I think that this fits.\n\`\`\`js\n${script}\n\`\`\``;

/** The compiler asks for a reply that ends as each, with the place of its problem in the script. */
const replies: Record<DesignOutcome, [reply: string, line: number | null]> = {
  valid: [fenced("return agent('a')"), null],
  'no-script': ["return agent('a')", null],
  'script-too-long': [fenced(`// ${'x'.repeat(1_000)}\nreturn agent('a')`), null],
  'syntax-error': [fenced("const a = agent('a');\nreturn a +"), 2],
  'forbidden-syntax': [fenced("const fs = await import('fs');\nreturn agent('a')"), 1],
  'unknown-name': [fenced("const a = agent('a');\nreturn vote(a)"), 2],
  'bad-argument': [fenced("return agent({\n  promt: 'a',\n})"), 2],
  'missing-return': [fenced("const a = 1;\nagent('a')"), 2],
  'literal-too-long': [fenced(`return agent('${'x'.repeat(101)}')`), 1],
  'unbounded-design': [fenced("const f = (n) => sequence([agent('a'), f(n + 1)]);\nreturn f(0)"), 1],
  'dry-run-error': [fenced("const a = await agent('a');\nreturn a.reply.trim()"), 2],
  'dry-run-limit': [fenced("return ensemble({ members: 'a', copies: 7 })"), null],
  'dry-run-no-reply': [fenced("const { answer } = await agent('a');\nreturn answer"), null],
};

describe('outcomes', () => {
  it.each(designOutcomes)('%s', async (name) => {
    const [reply, line] = replies[name];
    const judged = await judge(reply);
    expect(judged).toMatchObject({ outcome: name });
    expect(judged.problem?.line ?? null).toBe(line);
    expect(judged.dryRun!.length > 0).toBe(name === 'valid' || name.startsWith('dry-run'));
  });

  it('a design is refused by the dry run only where it fails whatever its agents say', async () => {
    const script = "const a = await agent('a');\nif (a.answer === null) return a;\nthrow new Error('no ' + a.answer);";
    const judged = await judge(fenced(script));
    expect(judged.outcome).toBe('valid');
    expect(judged.dryRun!.map(({ shape, outcome }) => [shape, outcome])).toEqual([
      ['agreeing', 'script-error'],
      ['disagreeing', 'script-error'],
      ['no-answer', 'replied'],
    ]);
  });
});

describe("the Designer prompt's examples", () => {
  it('are three designs of different shapes', () => {
    expect(designerExamples).toHaveLength(3);
  });

  it.each(designerExamples)('$title', async ({ script }) => {
    const wide = { ...recipe, limits: { ...recipe.limits, literalChars: 1_000, scriptChars: 5_000 } };
    const judged = await judgeDesign(pool, { reply: fenced(script), question: 'q', recipe: wide, signal });
    expect(judged).toMatchObject({ outcome: 'valid', problem: null, script });
    const { shapes } = await pool.dryRun({ script, question: 'q', promptForm: 'documented' });
    for (const { shape, outcome } of shapes) expect([shape, outcome.outcome]).toEqual([shape, 'replied']);
  });
});
