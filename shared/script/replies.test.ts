import { describe, expect, it } from 'vitest';
import { extractScript } from './extract.ts';
import { readRoute, readToolRequest, readVerdict } from './replies.ts';

describe('verdicts', () => {
  it.each<[string, string | null]>([
    ['VERDICT: ACCEPT', 'ACCEPT'],
    ['The sum is wrong.\n**Verdict: revise.**', 'REVISE'],
    ['- Accept', 'ACCEPT'],
    ['**VERDICT:** ACCEPT', 'ACCEPT'],
    // A word that only ends in, begins with, or talks of the keyword is no verdict.
    ['INCORRECT', null],
    ['VERDICT: UNACCEPTABLE', null],
    ['I do not accept this.', null],
    ['VERDICT: ACCEPT the draft', null],
    ['VERDICT: ACCEPT\nVERDICT: REVISE', null],
    ['', null],
  ])('%j is %j', (text, verdict) => expect(readVerdict(text)).toBe(verdict));
});

describe('routes', () => {
  const routes = ['algebra', 'code'];
  it.each<[string, string | null]>([
    ['ROUTE: algebra', 'algebra'],
    ['It needs a program.\nRoute: **Code**.', 'code'],
    ['code', 'code'],
    ['code\nor algebra?', null],
    ['ROUTE: geometry', null],
    ['ROUTE: code, I think', null],
    ['', null],
  ])('%j is %j', (text, route) => expect(readRoute(text, routes)).toBe(route));
});

describe('tool requests', () => {
  const documented = (text: string) => readToolRequest(text, ['python', 'calculator'], 'documented');
  const terse = (text: string) => readToolRequest(text, ['python', 'calculator'], 'terse');

  it('documented: the first closed fence that names a granted tool, exactly', () => {
    expect(documented('Let me see.\n```run:python\nprint(1)\n\nprint(2)\n```')).toEqual({
      tool: 'python',
      input: 'print(1)\n\nprint(2)',
    });
    expect(documented('```run:browser\nx\n```\n```run:calculator\n1+1\n```')).toEqual({
      tool: 'calculator',
      input: '1+1',
    });
    for (const none of ['```python\nprint(1)\n```', '```run:python\nprint(1)', 'run:python print(1)', 'python: 1']) {
      expect(documented(none)).toBeNull();
    }
  });

  it('terse: the last line', () => {
    expect(terse('hm\ncalculator: 2 * 3\n')).toEqual({ tool: 'calculator', input: '2 * 3' });
    for (const none of ['calculator: 2\n#### 4', 'browser: x', 'calculator:', '2 * 3']) expect(terse(none)).toBeNull();
  });

  it('none without a grant', () => {
    expect(readToolRequest('```run:python\nprint(1)\n```', [], 'documented')).toBeNull();
  });
});

describe('the script in a reply', () => {
  it.each<[string, string | null, number]>([
    ["I choose a vote.\n```js\nreturn agent('a')\n```\nDone.", "return agent('a')", 3],
    ['```js\nfirst\n```\n~~~\nsecond ``` inside\n~~~', 'second ``` inside', 5],
    ['````js\nconst f = "```";\n```\n````', 'const f = "```";\n```', 2],
    ["```js\r\nreturn agent('a')\r\n```", "return agent('a')", 2],
    ["```js\nreturn agent('a')", null, 0],
    ['```js\nwhole\n```\n```js\ncut off', 'whole', 2],
    ['```js\n\n```', null, 0],
    ["return agent('a')", null, 0],
  ])('%j', (reply, script, line) => {
    expect(extractScript(reply, 'documented')).toEqual(script === null ? null : { script, line });
  });

  it('terse: the whole reply', () => {
    expect(extractScript("return agent('a')", 'terse')).toEqual({ script: "return agent('a')", line: 1 });
    expect(extractScript(' \n', 'terse')).toBeNull();
  });
});
