/**
 * MaAS (Zhang et al. 2025, arXiv 2502.04180): for each question a controller draws a system from a distribution over known
 * ones, and learns from reward minus cost which to draw. The policy stays frozen.
 */
import type { PromptForm } from '../script/prompts.ts';
import { debateTeam, ensembleTeam, reflectionTeam } from './fixed-teams.ts';
import { selfConsistency } from './self-consistency.ts';
import { singleAgent } from './single-agent.ts';
import type { SearchedSystem } from './system.ts';

/** Weight of a pick's share of the most calls that a script of the pool may make, against a right answer's 1. */
export const costWeight = 0.1;
export const controllerLearningRate = 20;
/** Draws a question in one step of learning. */
export const picksPerQuestion = 4;

export const maas: SearchedSystem = {
  kind: 'searched',
  name: 'maas',
  summary: 'a learned controller picks a script from a pool for each question, the policy frozen',
  paper: 'Zhang et al. 2025, MaAS (arXiv 2502.04180)',
  departures: [
    'one layer over a pool of whole scripts; the paper stacks layers of operators',
    'questions are seen as hashed words by a linear softmax; the paper embeds them',
    'the baseline is the mean utility of a question’s own draws',
    'prompts of the operators are not changed',
  ],
};

/** The pool: hand-written systems at their own size. */
export const maasPool = (form: PromptForm, callLimit: number): string[] =>
  [singleAgent, selfConsistency, ensembleTeam, debateTeam, reflectionTeam].map((system) =>
    system.script({ form, budget: null, callLimit }),
  );

export const utilityOf = (correct: boolean, calls: number, mostCalls: number): number =>
  Number(correct) - (costWeight * calls) / mostCalls;
