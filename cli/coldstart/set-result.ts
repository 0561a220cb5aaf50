/** A set as one JSON object and as text. */
import type { SftSetDocument } from '../../activities/store/documents.ts';
import type { CommandResult } from '../command.ts';
import { counted } from '../view/numbers.ts';

export function setResult(set: SftSetDocument): CommandResult {
  const { _id, schemaVersion: _, createdAt, ...rest } = set;
  const { examples, cost, teacher, asked, questions, leftOut, promptForm } = set;
  const lines = [
    `set ${_id}: ${counted(examples.designer, 'design')} and ${counted(examples.executor, 'call')} of ${teacher.model} at ${teacher.url}`,
    `${asked} of ${counted(questions, 'question')} of ${set.dataset.name} asked, ${promptForm} prompts, ${counted(cost.calls, 'model call')}, ${cost.promptTokens + cost.responseTokens} tokens`,
    ...Object.entries(leftOut).map(([reason, count]) => `  left out ${count}: ${reason}`),
    `train on it: npx metaagentx coldstart train ${_id} --recipe RECIPE`,
  ];
  return { data: { setId: _id, ...rest, createdAt }, text: lines.join('\n') };
}
