import { expect, it } from 'vitest';
import { designerPromptVersion } from '../shared/script/designer-prompts.ts';
import { agentParts, rolePromptVersion } from '../shared/script/prompts.ts';
import { promptsInForce } from './prompts-in-force.ts';

it.each(['terse', 'documented'] as const)('%s: versions, and the text of every role', (form) => {
  const prompts = promptsInForce(form, ['calculator']);
  expect(prompts).toMatchObject({
    form,
    'designer.version': String(designerPromptVersion),
    'executor.version': String(rolePromptVersion),
  });
  const texts = ['designer', ...agentParts.map((part) => `executor.${part}`)];
  expect(Object.keys(prompts).sort()).toEqual(['form', 'designer.version', 'executor.version', ...texts].sort());
  expect(prompts['designer']).toContain('{question}');
  for (const part of agentParts) expect(prompts[`executor.${part}`]).toContain('{task}');
  expect(prompts['designer']!.includes('tools.calculator')).toBe(form === 'documented');
});
