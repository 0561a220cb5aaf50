/**
 * What the Designer is shown to write in the cold start: scripts of every pattern, chosen without regard to the question,
 * and a share of broken ones. Nothing here knows which design is good; that is for reward to find.
 */
import { manners } from './answers.ts';
import type { Draws } from './draws.ts';

export const designPatterns = ['single', 'ensemble', 'debate', 'reflect', 'sequence', 'compare', 'choose'] as const;
export type DesignPattern = (typeof designPatterns)[number];

const agent = (draws: Draws) => `agent('${draws.pick(manners)}')`;
const agents = (draws: Draws, count: number) => Array.from({ length: count }, () => agent(draws)).join(',');

/** Words that tell kinds of questions apart, for scripts that look. */
const tellingWords = ['bags', 'each', 'more', 'left'] as const;

const writers: Record<DesignPattern, (draws: Draws) => string> = {
  single: (draws) => `return ${agent(draws)}`,
  ensemble: (draws) =>
    draws.chance(0.5)
      ? `return ensemble([${agents(draws, 3)}])`
      : `return ensemble(${agent(draws)},${draws.between(2, 4)})`,
  debate: (draws) => `return debate({debaters:[${agents(draws, 2)}],rounds:1,judge:${agent(draws)}})`,
  reflect: (draws) => `return reflect({agent:${agent(draws)},rounds:1})`,
  sequence: (draws) => `return sequence([${agents(draws, 2)}])`,
  compare: (draws) =>
    `const a=await ${agent(draws)};const b=await ${agent(draws)};return a.answer==b.answer?a:${agent(draws)}`,
  choose: (draws) => `return question.includes('${draws.pick(tellingWords)}')?${agent(draws)}:${agent(draws)}`,
};

export const writeDesign = (pattern: DesignPattern, draws: Draws) => writers[pattern](draws);

const breakers: readonly ((script: string, draws: Draws) => string)[] = [
  (script) => script.replace(/^return /, '').replace(/;return /, ';'),
  (script) => script.replace(/\)$/, ''),
  (script) => script.replace(/agent\(/, 'solve('),
  (_, draws) => `return '${draws.between(2, 60)}'`,
];

/** A script that is refused: no return, an open bracket, an unknown name, or text of its own as the answer. */
export function breakDesign(script: string, draws: Draws): string {
  return draws.pick(breakers)(script, draws);
}
