/**
 * AFlow (Zhang et al. 2024, arXiv 2410.10762): a tree search over scripts. A parent is drawn from the best few and the
 * initial script by a soft mixed probability, expanded into one changed child, which is executed on search questions; its
 * score and its parent's other children are what the next expansion sees.
 */
import { createStream } from '../random.ts';
import { singleAgent } from './single-agent.ts';
import type { Candidate, SearchStrategy } from './search.ts';
import type { SearchedSystem } from './system.ts';

/** Paper section 4.2: uniform share and sharpness (scores in percent). */
const lambda = 0.3;
const alpha = 0.2;
/** Parents that are considered: the initial script and the best others. */
const considered = 4;

export const aflow: SearchedSystem & SearchStrategy = {
  kind: 'searched',
  name: 'aflow',
  summary: 'tree search over scripts with execution feedback, the policy frozen',
  paper: 'Zhang et al. 2024, AFlow (arXiv 2410.10762)',
  departures: [
    'the policy under comparison proposes the changes; the paper uses a stronger model for that',
    'with terse prompts, which cannot hold a report, changes are the Designer’s own samples and edits by program, in turn',
    'every script is executed once on each search question; the paper repeats it five times',
    'a script that was tried before keeps its score and is not executed again',
  ],
  seeds: (form) => [singleAgent.script({ form, budget: null, callLimit: 1 })],
  next(candidates, form, seedKey) {
    const runnable = candidates.filter(({ refusal }) => refusal === null);
    if (runnable.length === 0) return { type: 'sample' };
    const parent = drawParent(runnable, seedKey);
    if (form === 'terse') {
      return candidates.length % 2 === 1 ? { type: 'sample' } : { type: 'edit', parent: parent.number };
    }
    const children = candidates.filter((candidate) => candidate.parent === parent.number);
    return { type: 'rewrite', parent: parent.number, shown: children.map(({ number }) => number) };
  },
};

function drawParent(runnable: readonly Candidate[], seedKey: string): Candidate {
  const [initial, ...others] = runnable;
  const best = others.sort((a, b) => b.score - a.score || a.number - b.number).slice(0, considered - 1);
  const pool = [initial!, ...best];
  const probabilities = mixedProbabilities(pool.map(({ score }) => score));
  let left = createStream(seedKey).uniform(0);
  return pool.find((_, index) => (left -= probabilities[index]!) < 0) ?? pool.at(-1)!;
}

/** lambda / n + (1 - lambda) · softmax(alpha · 100 · score). */
export function mixedProbabilities(scores: readonly number[]): number[] {
  const top = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(alpha * 100 * (score - top)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => lambda / scores.length + ((1 - lambda) * weight) / total);
}
