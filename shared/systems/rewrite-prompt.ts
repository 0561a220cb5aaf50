/** What a policy is shown when it is asked for a better script: the language, what was tried, and how that did. */
import type { ChatMessage } from '../domain/sampling.ts';
import { designerMessages } from '../script/designer-prompts.ts';
import type { Candidate } from './search.ts';

/** Bump on every change of any text in this file; stored with the search. */
export const rewritePromptVersion = 1;

export interface RewriteRequest {
  /** The candidate to change; null: write a new one. */
  parent: Candidate | null;
  /** What was tried, in the order of trying. */
  shown: readonly Candidate[];
  /** Names of the tools that designs may use. */
  tools: readonly string[];
}

const percent = (score: number) => `${(100 * score).toFixed(0)} % of answers right`;

function report({ number, script, refusal, score }: Candidate): string {
  const result = refusal === null ? percent(score) : `could not be run: ${refusal}`;
  return `Design ${number} (${result}):\n\`\`\`js\n${script ?? ''}\n\`\`\``;
}

export function rewriteMessages({ parent, shown, tools }: RewriteRequest): ChatMessage[] {
  const [system] = designerMessages('', 'documented', tools);
  const parts = [
    'One design will be used for many different tasks of one kind. You look for the design with the most right answers.',
    ...(shown.length === 0
      ? []
      : [
          parent === null
            ? 'These designs have been tried:'
            : 'These changes of the design below have been tried already; do not repeat them:',
          ...shown.map(report),
        ]),
    ...(parent === null
      ? ['Write a new design that differs from all of these and should do better.']
      : ['This is the design to improve:', report(parent), 'Change one thing that should make it better.']),
    'Say in a sentence what you change and why. Then give the whole script in one fenced code block.',
  ];
  return [system!, { role: 'user', content: parts.join('\n\n') }];
}
