import { describe, expect, it } from 'vitest';
import { checkScript } from './check.ts';
import { designOutcomes } from './outcomes.ts';

const problems = (script: string, tools: string[] = []) =>
  checkScript(script, { tools }).problems.map(({ outcome, line, column, message }) => [
    `${outcome} ${line}:${column}`,
    message,
  ]);

describe('what is refused, with its place', () => {
  it.each<[string, string, string]>([
    ['const a = ;\nreturn agent(1)', 'syntax-error 1:11', 'Unexpected token'],
    ["const a: string = 'x';\nreturn agent(a)", 'syntax-error 1:8', 'Unexpected token'],
    ["return agent('a'", 'syntax-error 1:17', 'Unexpected token'],
    ["const x = 1;\nconst fs = await import('fs');\nreturn agent('a')", 'forbidden-syntax 2:18', 'import() is not part of the language'],
    ["const here = import.meta;\nreturn agent('a')", 'forbidden-syntax 1:14', 'import.meta is not part of the language'],
    ["export const x = 1;\nreturn agent('a')", 'forbidden-syntax 1:1', 'export is not part of the language: end with return'],
    ["return agnt('x')", 'unknown-name 1:8', "'agnt' is not defined"],
    ["setTimeout(() => 1);\nreturn agent('a')", 'unknown-name 1:1', "'setTimeout' is not defined"],
    ["{ const inner = 'x'; }\nreturn agent(inner)", 'unknown-name 2:14', "'inner' is not defined"],
    ["return eval('agent(1)')", 'unknown-name 1:8', "'eval' is not defined"],
    ["return tools.browser('x')", 'unknown-name 1:8', "the tool 'browser' does not exist; granted: none"],
    ["return tools.python('x')", 'unknown-name 1:8', "the tool 'python' is not granted; granted: none"],
    ["return agent({ promt: 'x' })", 'bad-argument 1:16', "agent has no option 'promt'; it takes prompt, name, tools, memory, maxTurns, input"],
    ["return reflect({ agent: 'x', rounds: 0 })", 'bad-argument 1:38', 'reflect: rounds must be a whole number from 1 to 100; got 0'],
    ["return agent({ tools: ['python'] })", 'bad-argument 1:24', "the tool 'python' is not granted; granted: none"],
    ['return debate({ rounds: 2 })', 'bad-argument 1:8', 'debate: debaters is missing'],
    ["return route('x')", 'bad-argument 1:14', 'route takes an object of options: route({ routes: { name: node }, by, default })'],
    ["return route({ routes: { a: 'x' }, by: 'y' })", 'bad-argument 1:8', 'route: default is missing'],
    ["const x = 1;\nagent('a')", 'missing-return 2:1', "the script returns nothing: write 'return' before the last expression"],
    ["const f = () => { return agent('a'); };\nconst x = f;", 'missing-return 2:1', 'the script returns nothing: end with return'],
    ['', 'missing-return null:null', 'the script returns nothing: end with return'],
    [`return agent('${'x'.repeat(8_001)}')`, 'literal-too-long 1:14', 'a text of 8001 characters; at most 8000'],
    [`return agent(\`${'x'.repeat(8_001)}\`)`, 'literal-too-long 1:15', 'a text of 8001 characters; at most 8000'],
    ['while (true) { for (const x of [1]) { break; } }\nreturn agent(1)', 'unbounded-design 1:1', 'this loop has no end: give it a condition or a break'],
    ['for (;;) { const f = () => { return 1; }; }\nreturn agent(1)', 'unbounded-design 1:1', 'this loop has no end: give it a condition or a break'],
    ["const f = (n) => sequence([agent('a'), f(n + 1)]);\nreturn f(0)", 'unbounded-design 1:11', 'the function f always calls itself again: give it a way to end'],
    ['function a() { return ensemble([b()]); }\nfunction b() { return a(); }\nreturn agent(1)', 'unbounded-design 1:1', 'the function a always calls itself again: give it a way to end'],
  ])('%s', (script, place, message) => {
    expect(problems(script)[0]).toEqual([place, message]);
  }); // prettier-ignore

  it('finds every problem, in the order of the script, and names the first as the outcome', () => {
    const script = "const a = agent({ nme: 'x' });\nlet b = missing;\nfor (;;) { b = a; }";
    const found = checkScript(script);
    expect(found.problems.map(({ outcome, line }) => `${outcome} ${line}`)).toEqual([
      'bad-argument 1',
      'unknown-name 2',
      'unbounded-design 3',
      'missing-return 3',
    ]);
    expect(found.outcome).toBe('bad-argument');
    for (const { outcome } of found.problems) expect(designOutcomes).toContain(outcome);
  });

  it('refuses a text that is too long before it is parsed', () => {
    const { outcome, structure } = checkScript(`// ${'('.repeat(50)}`, { limits: { scriptChars: 40 } });
    expect([outcome, structure]).toEqual(['script-too-long', null]);
  });
});

describe('what is left alone', () => {
  it.each([
    "let draft = await agent('a');\nwhile (true) {\n  if (draft.text.length > 3) return draft;\n  draft = await agent({ input: draft });\n}",
    "outer: while (true) { for (;;) { break outer; } }\nreturn agent('a')",
    "function tree(n) { if (n === 0) return agent('leaf'); return ensemble([tree(n - 1), tree(n - 1)]); }\nreturn tree(2)",
    "const tree = (n) => n === 0 ? agent('leaf') : ensemble([tree(n - 1), tree(n - 1)]);\nreturn tree(2)",
    'function* names() { let i = 0; while (true) yield i++; }\nreturn agent(String(names().next().value))',
    'const agent = (x) => ({ x });\nconst { x } = agent({ foo: 1 });\nreturn ensemble(x)',
    "const [{ text, answer: own = 3 }, ...rest] = await Promise.all([agent('a'), agent('b')]);\nreturn own === text ? rest[0] : agent('c')",
    'function Team() { this.isNew = new.target !== undefined; }\nreturn agent(String(new Team().isNew))',
    'class Team { #size = 1; static most = 2; get size() { return this.#size; } }\nreturn agent(String(new Team().size))',
    "try { await agent('a'); } catch { return agent('b'); }\ntry { throw 1; } catch (e) { console.log(e); }\nreturn agent('c')",
    "return go();\nfunction go() { return agent('a'); }",
    'const options = { rounds: 9 };\nreturn reflect({ agent: "x", ...options })',
    "switch (question.length) { case 1: { let a = agent('x'); return a; } default: var b = agent('y'); }\nreturn b",
    'for (const [i, x] of [1, 2].entries()) memory.set(String(i), String(x));\nreturn agent({ memory: true })',
  ])('%s', (script) => expect(problems(script)).toEqual([]));

  it('takes tools that are granted', () => {
    const script = "await tools.calculator('1 + 1');\nreturn agent({ tools: ['python', 'calculator'] })";
    expect(problems(script, ['python', 'calculator'])).toEqual([]);
  });
});
