/** Many independent answers of one agent and a majority vote: the single agent under a matched budget. */
import { quote, solverPrompt } from './agent-prompts.ts';
import type { FixedSystem } from './system.ts';

const ownCalls = 5;

export const selfConsistency: FixedSystem = {
  kind: 'fixed',
  name: 'self-consistency',
  summary: 'independent answers of one agent, majority vote',
  paper: 'Wang et al. 2022, Self-consistency (arXiv 2203.11171)',
  departures: [
    'answers are grouped by the verifier’s equality, not as text',
    'under a token budget answers are drawn one after another until the next of average length would not fit',
  ],
  leastCalls: 1,
  sizedByTokens: true,
  script({ form, budget, callLimit }) {
    const solver = `agent(${quote(solverPrompt[form])})`;
    if (budget?.unit === 'tokens') return untilSpent(solver, budget.amount, callLimit);
    const calls = budget?.amount ?? Math.min(ownCalls, callLimit);
    return calls === 1 ? `return ${solver};` : `return ensemble(${solver}, ${calls});`;
  },
};

const untilSpent = (solver: string, tokens: number, callLimit: number) =>
  `const replies = [];
let used = 0;
for (let i = 0; i < ${callLimit}; i++) {
  const reply = await ${solver}.run();
  replies.push(reply);
  used += reply.usage.promptTokens + reply.usage.responseTokens;
  if (used + used / replies.length > ${tokens}) break;
}
return replies.length === 1 ? replies[0] : ensemble(replies);`;
