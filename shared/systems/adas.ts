/**
 * ADAS, Meta Agent Search (Hu et al. 2024, arXiv 2408.08435): an archive of designs, begun with known ones; each new design
 * is made in view of the whole archive with its scores, executed, and added. The best of the archive answers.
 */
import { createStream } from '../random.ts';
import { debateTeam, ensembleTeam, reflectionTeam } from './fixed-teams.ts';
import type { Candidate, SearchStrategy } from './search.ts';
import { selfConsistency } from './self-consistency.ts';
import { singleAgent } from './single-agent.ts';
import type { SearchedSystem } from './system.ts';

/** Archive members that a proposal is shown: prompts stay within a model's context. */
const longestArchive = 16;

export const adas: SearchedSystem & SearchStrategy = {
  kind: 'searched',
  name: 'adas',
  summary: 'archive of designs that grows by proposals in view of it, the policy frozen',
  paper: 'Hu et al. 2024, ADAS (arXiv 2408.08435)',
  departures: [
    'the policy under comparison is the meta agent; the paper uses a stronger model',
    'five of the paper’s seven first designs; no reflection rounds on a proposal before it is executed',
    'with terse prompts proposals are the Designer’s own samples and edits by program of an archive member, in turn',
    `at most ${longestArchive} members of the archive are shown, the best ones`,
  ],
  seeds: (form) =>
    [singleAgent, selfConsistency, ensembleTeam, debateTeam, reflectionTeam].map((system) =>
      system.script({ form, budget: null, callLimit: 5 }),
    ),
  next(candidates, form, seedKey) {
    const archive = candidates.filter(({ refusal }) => refusal === null);
    if (archive.length === 0) return { type: 'sample' };
    if (form === 'terse') {
      return candidates.length % 2 === 1 ? { type: 'sample' } : { type: 'edit', parent: tournament(archive, seedKey) };
    }
    const best = [...archive].sort((a, b) => b.score - a.score || a.number - b.number).slice(0, longestArchive);
    return { type: 'rewrite', parent: null, shown: best.map(({ number }) => number).sort((a, b) => a - b) };
  },
};

/** The better of two drawn members. */
function tournament(archive: readonly Candidate[], seedKey: string): number {
  const stream = createStream(seedKey);
  const [first, second] = [0, 1].map((counter) => archive[stream.integer(counter, archive.length)]!);
  return second!.score > first!.score ? second!.number : first!.number;
}
