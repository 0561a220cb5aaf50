import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { apiBuilders, apiObjects, apiReplyFields } from './api.ts';
import { designerExamples, designerMessages, designerPromptVersion } from './designer-prompts.ts';
import { agentParts, composeMessages, rolePromptVersion } from './prompts.ts';
import type { AgentPart, ModelRequest, PromptForm } from './prompts.ts';

const forms: PromptForm[] = ['terse', 'documented'];
const grants = [[], ['calculator'], ['python', 'calculator']];
const digest = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
const documented = (tools: string[] = []) => designerMessages('What is 6 times 7?', 'documented', tools);

const request = (part: AgentPart, changes: Partial<ModelRequest> = {}): ModelRequest => ({
  part,
  prompt: '',
  task: 'task',
  shown: [{ name: 'Ann', text: 'reply' }],
  draft: 'draft',
  critique: 'review',
  routes: ['one', 'two'],
  memory: [['key', 'note']],
  tools: ['python'],
  turns: [{ text: 'asks', tool: 'python', output: '4', failed: false }],
  last: true,
  ...changes,
});

describe('versions', () => {
  // A run stores version and texts: a text that changes without its version would pass for the old one.
  it('of the Designer prompt stand for one text', () => {
    const texts = forms.flatMap((form) => grants.map((tools) => designerMessages('question', form, tools)));
    expect([designerPromptVersion, digest(texts)]).toEqual([2, 'aee142e190ca8264']);
  });

  it("of the roles' prompts stand for one text", () => {
    const changes = [{}, { prompt: 'own', tools: [], turns: [] }, { last: false, shown: [], turns: [] }];
    const texts = forms.flatMap((form) =>
      agentParts.flatMap((part) => changes.map((change) => composeMessages(request(part, change), form))),
    );
    expect([rolePromptVersion, digest(texts)]).toEqual([1, '0efecb70faf9a66c']);
  });
});

describe('the documented form', () => {
  it('names every node, option, value and field that the isolate knows, and the three examples', () => {
    const system = documented(['python'])[0]!.content;
    for (const { name, signature, options } of apiBuilders) {
      expect(system).toContain(`- ${signature}\n`);
      for (const option of options) expect(system).toContain(`    ${option.name}${option.required ? '' : '?'}: `);
      expect(signature.replace(/^(\w+).*/s, '$1')).toBe(name);
    }
    for (const { signature } of apiObjects) expect(system).toContain(`- ${signature}\n`);
    for (const { name } of apiReplyFields) expect(system).toContain(`- ${name}: `);
    for (const { script } of designerExamples) expect(system).toContain(`\`\`\`js\n${script}\n\`\`\``);
    expect(system).toContain('each gives a reply; granted: python\n');
  });

  it('speaks of tools only where some are granted', () => {
    expect(documented()[0]!.content).not.toMatch(/tools\.python|granted/);
  });

  it('gives the question apart from the rules', () => {
    expect(documented().map(({ role }) => role)).toEqual(['system', 'user']);
    expect(documented()[1]!.content).toBe('Task:\nWhat is 6 times 7?');
  });
});

describe('all prompts', () => {
  it('are neutral to benchmarks: no data set, no range of answers, no mark that a reward reads', () => {
    const texts = JSON.stringify([
      ...forms.flatMap((form) => designerMessages('', form, ['python'])),
      ...forms.flatMap((form) => agentParts.flatMap((part) => composeMessages(request(part), form))),
    ]);
    expect(texts).not.toMatch(/AIME|GSM|MATH-?500|AMC|HMMT|Olympiad|LiveCodeBench|APPS|CodeContests|MBPP|HumanEval/i);
    expect(texts).not.toMatch(/0 (to|and) 999|integer between|boxed|####/i);
  });
});
