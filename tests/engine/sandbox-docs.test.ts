/** The two references do what they say: every script and program on them is run, every table holds what the code holds. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { standardCanaries } from '../../activities/runtime/python/canaries.ts';
import { pythonTiers } from '../../activities/runtime/python/contract.ts';
import type { PythonSandbox } from '../../activities/runtime/python/contract.ts';
import { judgeCode } from '../../activities/runtime/python/judge-code.ts';
import { openPythonSandbox } from '../../activities/runtime/python/open-sandbox.ts';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import type { CodeVerifier } from '../../shared/domain/question.ts';
import { apiText } from '../../shared/script/api-text.ts';
import { checkScript } from '../../shared/script/check.ts';
import { judgeDryRun } from '../../shared/script/dry-verdict.ts';
import { defaultScriptLimits } from '../../shared/script/limits.ts';
import { designOutcomes, executionOutcomes } from '../../shared/script/outcomes.ts';
import { agentParts } from '../../shared/script/prompts.ts';
import { missingTiers } from '../attacks/python/at-tiers.ts';

const language = readFileSync('docs/script-language.md', 'utf8');
const sandboxPage = readFileSync('docs/sandbox.md', 'utf8');

/** Fenced blocks of one language: the word after it, and the text. */
const blocks = (page: string, name: string) =>
  [...page.matchAll(/^```(\w+)(?: ([\w-]+))?\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === name)
    .map(([, , word, text]) => ({ word: word ?? '', text: text!, title: text!.split('\n')[0]! }));
/** First columns of the table rows under a heading, where they are code; the second column too. */
function rows(page: string, heading: string): [string, string][] {
  const section = page.split(/^#+ /m).find((part) => part.startsWith(heading))!;
  return [...section.matchAll(/^\| `([\w-]+)` +\| ([^|]*?) *\|/gm)].map(([, name, next]) => [name!, next!]);
}
const names = (page: string, heading: string) => rows(page, heading).map(([name]) => name);

describe('docs/script-language.md', () => {
  const pool = createScriptPool({ threads: 1 });
  afterAll(() => pool.close());

  it.each(blocks(language, 'js'))('$title', async ({ word, text }) => {
    const tools = word === 'tools' ? ['python', 'calculator'] : [];
    const expected = word === '' || word === 'tools' ? 'valid' : word;
    const checked = checkScript(text, { tools });
    if (checked.outcome !== 'valid') return expect(checked.outcome).toBe(expected);
    const { shapes } = await pool.dryRun({
      script: text,
      question: 'q',
      promptForm: 'documented',
      grantedTools: tools,
    });
    const tried = shapes.map(({ shape, outcome }) => ({ shape, outcome: outcome.outcome, error: outcome.error }));
    expect(judgeDryRun(tried)?.outcome ?? 'valid').toBe(expected);
    if (expected === 'valid') for (const { outcome } of tried) expect(outcome).toBe('replied');
  });

  it('prints the table that the isolate checks by', () => {
    expect(language).toContain(`\`\`\`text\n${apiText(['python', 'calculator'])}\n\`\`\``);
  });

  it('lists every part, outcome and limit, and the defaults', () => {
    expect(names(language, 'What agents see').sort()).toEqual([...agentParts].sort());
    expect(names(language, 'What is refused')).toEqual([...designOutcomes]);
    expect(names(language, 'How an execution ends')).toEqual([...executionOutcomes]);
    const limits = rows(language, 'Limits').map(([name, value]) => [name, Number(value)]);
    expect(Object.fromEntries(limits)).toEqual(defaultScriptLimits);
  });
});

describe('docs/sandbox.md', () => {
  const tier = pythonTiers.find((name) => missingTiers.get(name) === null);
  if (tier === undefined) console.warn('SKIPPED: programs of docs/sandbox.md: no tier of the sandbox holds here');
  let sandbox: PythonSandbox;
  beforeAll(async () => {
    if (tier !== undefined) sandbox = await openPythonSandbox({ tiers: [tier], workers: 1 });
  });
  afterAll(() => sandbox?.close());

  const sum: CodeVerifier = {
    ...{ type: 'code', style: 'stdio', functionName: null, starterCode: null, compare: 'whitespace' },
    tests: [
      { input: '3 4\n', expected: '7\n' },
      { input: '10 -4\n', expected: '6\n' },
    ],
    ...{ timeLimitMs: 1_000, memoryLimitMb: 256 },
  };
  const shown = JSON.parse(blocks(sandboxPage, 'json')[0]!.text) as CodeVerifier;

  it.skipIf(tier === undefined).each(blocks(sandboxPage, 'python'))('$word: $title', async ({ word, text }) => {
    const verdict = await judgeCode(text.startsWith('class Solution') ? shown : sum, text, sandbox);
    expect(verdict.status, verdict.error ?? '').toBe(word);
  });

  it('lists every tier, comparison and verdict, and counts the canaries', () => {
    expect(names(sandboxPage, 'Tiers').slice(0, pythonTiers.length)).toEqual([...pythonTiers]);
    const page = names(sandboxPage, 'Questions and verdicts');
    expect(page.slice(0, 4)).toEqual(['exact', 'whitespace', 'numeric', 'checker']);
    const shownVerdicts = new Set(blocks(sandboxPage, 'python').map(({ word }) => word));
    expect(page.slice(4).sort()).toEqual([...shownVerdicts].sort());
    expect(standardCanaries.filter(({ shows }) => shows === 'works')).toHaveLength(2);
    expect(standardCanaries.filter(({ shows }) => shows === 'contained')).toHaveLength(14);
  });
});
