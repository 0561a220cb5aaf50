/** Hand-written teams, the same for every question: ensemble, debate, reflection. Sized by model calls. */
import { approachesOf, judgePrompt, quote, solverPrompt } from './agent-prompts.ts';
import type { FixedRequest, FixedSystem } from './system.ts';

const callsOf = ({ budget, callLimit }: FixedRequest, own: number) => budget?.amount ?? Math.min(own, callLimit);
const agents = (prompts: readonly string[]) => prompts.map((prompt) => `agent(${quote(prompt)})`).join(', ');
const judge = ({ form }: FixedRequest) => `agent(${quote(judgePrompt[form])})`;

export const ensembleTeam: FixedSystem = {
  kind: 'fixed',
  name: 'ensemble',
  summary: 'agents with different approaches, majority vote, a judge for ties',
  paper: 'Jiang et al. 2023, LLM-Blender (arXiv 2306.02561), as the ensemble operator of AFlow and MaAS has it',
  departures: ['members differ in prompt, not in model', 'the judge is asked on ties only and its call is kept free'],
  leastCalls: 3,
  sizedByTokens: false,
  script: (request) =>
    `return ensemble({ members: [${agents(approachesOf(request.form, callsOf(request, 4) - 1))}], judge: ${judge(request)} });`,
};

export const debateTeam: FixedSystem = {
  kind: 'fixed',
  name: 'debate',
  summary: 'two agents answer, read each other and answer again; a judge decides',
  paper: 'Du et al. 2023, Multiagent debate (arXiv 2305.14325)',
  departures: ['two debaters; a larger budget buys rounds', 'a judge decides where the paper takes a majority'],
  leastCalls: 3,
  sizedByTokens: false,
  script(request) {
    const rounds = Math.floor((callsOf(request, 5) - 1) / 2);
    return `return debate({ debaters: [${agents(approachesOf(request.form, 2))}], rounds: ${rounds}, judge: ${judge(request)} });`;
  },
};

export const reflectionTeam: FixedSystem = {
  kind: 'fixed',
  name: 'reflection',
  summary: 'one agent drafts, a critic reviews, the agent revises',
  paper: 'Madaan et al. 2023, Self-Refine (arXiv 2303.17651)',
  departures: ['the critic gives a typed verdict and ends the loop with it'],
  leastCalls: 3,
  sizedByTokens: false,
  script(request) {
    const rounds = Math.floor((callsOf(request, 5) - 1) / 2);
    return `return reflect({ agent: agent(${quote(solverPrompt[request.form])}), rounds: ${rounds} });`;
  },
};
