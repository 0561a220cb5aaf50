/**
 * System prompts of the agents in hand-written designs. Terse ones are words that a policy trained on the terse language
 * knows; documented ones are neutral to benchmarks. Several approaches where a system asks for different members.
 */
import type { PromptForm } from '../script/prompts.ts';

export const solverPrompt: Readonly<Record<PromptForm, string>> = {
  terse: 'steps',
  documented: 'Solve the task step by step. Check each step before you go on.',
};

/** Different ways to solve, in the order in which members take them. */
export const approachPrompts: Readonly<Record<PromptForm, readonly string[]>> = {
  terse: ['steps', 'plain', 'fast'],
  documented: [
    'Solve the task step by step from what is given.',
    'Work backwards from what is asked to what is given.',
    'Split the task into cases and treat each of them.',
    'Estimate the result first, then work it out and compare.',
  ],
};

export const judgePrompt: Readonly<Record<PromptForm, string>> = {
  terse: 'steps',
  documented: 'Check each reply and give the correct answer.',
};

/** Members of a team in turn: the approaches, from the start again when they run out. */
export const approachesOf = (form: PromptForm, count: number): string[] =>
  Array.from({ length: count }, (_, index) => approachPrompts[form][index % approachPrompts[form].length]!);

export const quote = (text: string) => JSON.stringify(text);
