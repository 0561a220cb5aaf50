/** The prompt texts that a run uses, stored with it: what each role is told, with placeholders for the material. */
import { designerMessages, designerPromptVersion } from '../shared/script/designer-prompts.ts';
import { agentParts, composeMessages, rolePromptVersion } from '../shared/script/prompts.ts';
import type { AgentPart, PromptForm } from '../shared/script/prompts.ts';
import type { ChatMessage } from '../shared/domain/sampling.ts';

const shown = (messages: readonly ChatMessage[]) =>
  messages.map(({ role, content }) => `[${role}]\n${content}`).join('\n\n');

/** Texts by name: `form`, the versions, `designer`, and each part that an agent can play. `tools`: those granted. */
export function promptsInForce(form: PromptForm, tools: readonly string[]): Record<string, string> {
  const parts = agentParts.map(
    (part) => [`executor.${part}`, shown(composeMessages(requestOf(part, tools), form))] as const,
  );
  return {
    form,
    'designer.version': String(designerPromptVersion),
    'executor.version': String(rolePromptVersion),
    designer: shown(designerMessages('{question}', form, tools)),
    ...Object.fromEntries(parts),
  };
}

const requestOf = (part: AgentPart, tools: readonly string[]) => ({
  part,
  prompt: "{the design's own prompt}",
  task: '{task}',
  shown: part === 'judge' || part === 'debater' ? [{ name: '{agent}', text: '{reply}' }] : [],
  draft: part === 'critic' || part === 'reviser' ? '{draft}' : null,
  critique: part === 'reviser' ? '{review}' : null,
  routes: part === 'router' ? ['{route}'] : [],
  memory: [],
  tools: part === 'agent' ? tools : [],
  turns: [],
  last: false,
});
