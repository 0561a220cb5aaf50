/**
 * What the Designer sees. Terse: one word and the question, for policies that have learned the language. Documented: the
 * whole language with examples, so that an untrained instruction-tuned model writes valid scripts. Neutral to
 * benchmarks. The API text comes from `api.ts`; the examples are checked and run by the tests.
 */
import type { ChatMessage } from '../domain/sampling.ts';
import { apiText } from './api-text.ts';
import type { PromptForm } from './prompts.ts';

/** Bump on every change of any text in this file; stored with the run. */
export const designerPromptVersion = 2;

export interface DesignerExample {
  title: string;
  script: string;
}

/** Three shapes: independent solvers with a vote, a reviewed draft after a plan, and plain control flow. */
export const designerExamples: readonly DesignerExample[] = [
  {
    title: 'Different approaches, decided by a vote; a judge breaks ties',
    script: `return ensemble({
  members: [
    agent({ name: 'forward', prompt: 'Solve the task step by step from what is given.' }),
    agent({ name: 'backward', prompt: 'Work backwards from what is asked to what is given.' }),
    agent({ name: 'cases', prompt: 'Split the task into cases and treat each of them.' }),
  ],
  judge: agent({ name: 'judge', prompt: 'Check each reply and give the correct answer.' }),
});`,
  },
  {
    title: 'A plan first, then a draft that a critic reviews twice at most',
    script: `const planner = agent({ name: 'planner', prompt: 'Write a short plan for the task. Do not solve it.' });
const solver = agent({ name: 'solver', prompt: 'Solve the task. Follow the plan where it helps.' });
const critic = agent({ name: 'critic', prompt: 'Recompute every step of the draft and look for errors.' });
return sequence([planner, reflect({ agent: solver, critic, rounds: 2 })]);`,
  },
  {
    title: 'Control flow: two solvers, and a closer look only where they disagree',
    script: `const [first, second] = await Promise.all([
  agent({ name: 'first', prompt: 'Solve the task carefully.' }),
  agent({ name: 'second', prompt: 'Solve the task in a way of your own and check the result.' }),
]);
if (first.answer !== null && first.answer === second.answer) return first;
const arbiter = agent({
  name: 'arbiter',
  prompt: 'The two replies disagree. Find the error and give the correct answer.',
  input: [first, second],
});
return reflect({ agent: arbiter, rounds: 1 });`,
  },
];

const fence = (script: string) => `\`\`\`js\n${script}\n\`\`\``;

const rules = `A design is the body of an async JavaScript function. Rules:
- Nodes are lazy: building one costs nothing. It runs when it is awaited or returned; \`node.run(input)\` runs it afresh.
- A node inside another node works on the same question. Where a node is expected, a text stands for agent(text).
- End with \`return\` and a node or a reply. A text or an object of your own is not accepted as an answer.
- Do not solve the task yourself in the script or in the prompts: the agents do that.
- There is no import, no network, no file and no timer. Keep the number of calls small.`;

function documentedSystem(tools: readonly string[]): string {
  const examples = designerExamples.map(({ title, script }, i) => `Example ${i + 1}. ${title}\n${fence(script)}`);
  return [
    'You design small teams of language-model agents. For the task of the user, write a design: a script that says which agents work on it and how their replies are combined.',
    rules,
    apiText(tools),
    ...examples,
    'Think briefly about which design fits the task. Then give the script in one fenced code block at the end of your reply.',
  ].join('\n\n');
}

/** The Designer's messages for one question. `tools`: names that designs of this run may use. */
export function designerMessages(question: string, form: PromptForm, tools: readonly string[] = []): ChatMessage[] {
  if (form === 'terse') {
    return [
      { role: 'system', content: 'design' },
      { role: 'user', content: question },
    ];
  }
  return [
    { role: 'system', content: documentedSystem(tools) },
    { role: 'user', content: `Task:\n${question}` },
  ];
}
