import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { dryRunShapes } from '../../../activities/runtime/script/dry-run.ts';
import { runCommandLine } from '../../../tests/helpers/command-line.ts';
import { answerShapes } from './script.ts';

const folder = mkdtempSync(join(tmpdir(), 'metaagentx-script-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const run = async (...argv: string[]) => runCommandLine(['script', ...argv]);
let files = 0;
const file = (text: string) => {
  const path = join(folder, `design-${(files += 1)}.js`);
  writeFileSync(path, text);
  return path;
};
const vote = "const a = await agent('one');\nreturn ensemble([a, 'two', 'three']);";

it('offers the shapes that the dry run has', () => {
  expect(answerShapes).toEqual(dryRunShapes.map(({ shape }) => shape));
});

describe('script check', () => {
  it('says what is wrong, where, and by which name', async () => {
    const path = file("const x = 1;\nreturn agnt('x') + ensemble({ members: [], strateg: 1 });");
    const { code, stdout } = await run('check', path);
    expect(code).toBe(1);
    expect(stdout.trimEnd().split('\n')).toEqual([
      'refused: unknown-name',
      `${path}:2:8: 'agnt' is not defined (unknown-name)`,
      `${path}:2:44: ensemble has no option 'strateg'; it takes members, copies, strategy, weights, judge (bad-argument)`,
    ]);
  });

  it('counts the calls of every shape and draws the structure', async () => {
    const path = file(vote);
    const { code, stdout } = await run('check', path, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'valid',
      script: vote,
      dryRun: dryRunShapes.map(({ shape }) => ({ shape, outcome: 'replied', calls: 3, toolCalls: 0 })),
    });
    const out = join(folder, 'picture.mmd');
    expect((await run('check', path, '--picture', 'mermaid', '--out', out)).stdout).toContain(`drawn into ${out}`);
    expect(readFileSync(out, 'utf8').split('\n').slice(0, 3)).toEqual([
      'flowchart TD',
      '  subgraph n2["ensemble"]',
      '    n1("agent #39;one#39;")'.replaceAll('#39;', "'"),
    ]);
  });

  it('goes by a recipe, and by the tools that were granted', async () => {
    const five = file(`return ensemble(${JSON.stringify(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])})`);
    expect((await run('check', five)).code).toBe(0);
    const { code, stdout } = await run('check', five, '--recipe', 'smoke');
    expect([code, stdout.split('\n')[0]]).toEqual([1, 'refused: dry-run-limit']);
    const tool = file("return tools.calculator('1 + 1')");
    expect((await run('check', tool)).stdout).toMatch(/'calculator' is not granted; granted: none/);
    expect((await run('check', tool, '--tools', 'calculator')).code).toBe(0);
    expect(await run('check', tool, '--tools', 'browser')).toMatchObject({ code: 2 });
    expect(await run('check', join(folder, 'missing.js'))).toMatchObject({ code: 2 });
  });

  it('takes the script out of a reply, and only a closed fence', async () => {
    const reply = file(`I think a vote.\n\`\`\`js\n${vote}\n\`\`\`\n`);
    expect((await run('check', reply, '--reply', 'documented')).code).toBe(0);
    const open = file(`\`\`\`js\n${vote}\n`);
    expect((await run('check', open, '--reply', 'documented')).stdout).toMatch(/^refused: no-script/);
  });
});

describe('an SVG', () => {
  const hostile = `return ensemble([agent({ name: '</svg><script>', prompt: 'a "b" & c' }), 'two'])`;
  const nodesOf = (svg: string) => [...svg.matchAll(/<g class="node (\w+)"><title>([^<]*)</g)].map(([, kind]) => kind);

  it('draws the structure into a file of its own, with text escaped', async () => {
    const out = join(folder, 'structure.svg');
    expect((await run('check', file(hostile), '--picture', 'svg', '--out', out)).code).toBe(0);
    const svg = readFileSync(out, 'utf8');
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" [^>]*><style>/);
    expect(svg.match(/<\/svg>/g)).toHaveLength(1);
    expect(svg).not.toContain('<script>');
    expect(nodesOf(svg)).toEqual(['group', 'agent', 'agent', 'result']);
  });

  it('draws the execution as it ran: calls, decisions, failures', async () => {
    const { code, stdout } = await run('run', file(hostile), '--question', 'q', '--picture', 'svg', '--json');
    expect(code).toBe(0);
    const { picture } = JSON.parse(stdout) as { picture: string };
    expect(nodesOf(picture)).toEqual(['agent', 'agent', 'group']);
    const none = await run(
      'run',
      file("throw new Error('x'); return agent('a')"),
      '--question',
      'q',
      '--picture',
      'svg',
    );
    expect(none.stdout).toContain('no nodes');
  });
});

describe('script run', () => {
  it('shows the outcome, what was used, what each node decided and every call', async () => {
    const { code, stdout } = await run('run', file(vote), '--question', 'What is 2 + 2?', '--calls');
    expect(code).toBe(0);
    const text = stdout.split('\n');
    expect(text.slice(0, 4)).toEqual(['replied', 'answer  4', 'reply   So it is.', '        Answer: 4']);
    expect(text[4]).toBe('used    3 model calls, 0 tool calls, 3 prompt and 3 response tokens');
    expect(stdout).toContain(
      'ensemble-1 · ensemble ensemble1 {"strategy":"majority","votes":[{"answer":"4","votes":3,"members":["agent1","agent2","agent3"]}],"failed":[]}',
    );
    expect(stdout).toContain('call 2  agent3 (ensemble-1/member-3)\n  system: three');
  });

  it('takes other answers, runs granted tools for real, and ends with 1 where there is no reply', async () => {
    const path = file(
      "const [a, b] = await Promise.all([agent('x'), agent('y')]);\nif (a.answer !== b.answer) throw new Error('no agreement');\nreturn a;",
    );
    expect((await run('run', path, '--question', 'q')).code).toBe(0);
    const { code, stdout } = await run('run', path, '--question', 'q', '--answers', 'disagreeing');
    expect([code, stdout.split('\n').slice(0, 2)]).toEqual([1, ['script-error', `${path}:2:38: no agreement`]]);
    const tool = file("return tools.calculator('2^10')");
    const ran = await run('run', tool, '--question', 'q', '--tools', 'calculator', '--json');
    expect(JSON.parse(ran.stdout)).toMatchObject({ outcome: 'replied', reply: { text: '1024', answer: '1024' } });
  });

  it('refuses a command line that cannot be meant', async () => {
    expect((await run('run', file(vote))).code).toBe(2);
    const empty = await run('run', file(vote), '--question', ' ');
    expect([empty.code, empty.stdout]).toEqual([2, '']);
    expect(empty.stderr).toMatch(/'--question <text>' argument ' ' is invalid\. expected a text, it is empty/);
    expect((await run('run', file(vote), '--question', 'q', '--answers', 'rude')).code).toBe(2);
    expect((await run('run', file(vote), '--question', 'q', '--set', 'seed=1')).code).toBe(2);
  });
});
