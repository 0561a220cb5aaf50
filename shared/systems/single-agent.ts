/** One agent, one call: the language model by itself, asked to reason step by step. */
import { quote, solverPrompt } from './agent-prompts.ts';
import type { FixedSystem } from './system.ts';

export const singleAgent: FixedSystem = {
  kind: 'fixed',
  name: 'single-agent',
  summary: 'one agent, one call',
  paper: 'Wei et al. 2022, Chain-of-thought prompting (arXiv 2201.11903)',
  departures: ['zero-shot: no worked examples in the prompt', 'it cannot use a larger budget: self-consistency can'],
  leastCalls: 1,
  sizedByTokens: true,
  script: ({ form }) => `return agent(${quote(solverPrompt[form])});`,
};
