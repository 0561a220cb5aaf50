/** A stored text in full, as it is: what pages cut short. */
import type { Store } from '../../../activities/store/connect.ts';
import { readRun } from '../../../activities/run-context.ts';
import { designerMessages } from '../../../shared/script/designer-prompts.ts';
import { readQuestion } from '../../inspect/questions-of.ts';
import { parseTarget } from '../../inspect/target.ts';

export const textKinds = ['question', 'design', 'script', 'designer', 'execution', 'call'] as const;
export type TextKind = (typeof textKinds)[number];

/** Null where there is no such document. */
export async function readWholeText(store: Store, kind: TextKind, path: string): Promise<string | null> {
  switch (kind) {
    case 'question':
      return questionText(store, path);
    case 'design':
      return (await store.designs.findOne({ _id: path }, { projection: { reply: 1 } }))?.reply ?? null;
    case 'script':
      return (await store.designs.findOne({ _id: path }, { projection: { script: 1 } }))?.script ?? null;
    case 'designer': {
      const text = await questionText(store, path);
      const run = await readRun(store, path.split('/')[0]!);
      return text === null ? null : joined(designerMessages(text, run.recipe.prompts.form, run.recipe.designs.tools));
    }
    case 'execution':
      return (await store.executions.findOne({ _id: path }, { projection: { reply: 1 } }))?.reply?.text ?? null;
    case 'call': {
      const call = await store.calls.findOne({ _id: path }, { projection: { messages: 1, answer: 1, tool: 1 } });
      if (call === null) return null;
      const tool = call.tool === undefined ? [] : [{ role: `tool ${call.tool.name}`, content: call.tool.input }];
      return joined([...(call.messages ?? []), ...tool, { role: 'reply', content: call.answer.text }]);
    }
  }
}

const joined = (messages: readonly { role: string; content: string }[]) =>
  messages.map(({ role, content }) => `[${role}]\n${content}`).join('\n\n');

async function questionText(store: Store, path: string): Promise<string | null> {
  const target = parseTarget(path);
  if (!('rollout' in target)) return null;
  const design = await store.designs.findOne({ rolloutId: target.rollout }, { projection: { question: 1 } });
  if (design === null) return null;
  const run = await readRun(store, target.runId);
  return (await readQuestion({ store, run }, target, design.question))?.text ?? null;
}
