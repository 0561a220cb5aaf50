/** The whole of a study in two minutes, for tests and for a first look: too short to show anything. */
import { defineStudy } from '../../shared/config/study.ts';

export default defineStudy({
  name: 'smoke',
  description: 'A trained variant, an axis and a fixed system at their smallest.',
  recipe: 'smoke',
  set: ['stages.iterationsPerStage=1', 'stages.count=1', 'rollout.questionsPerIteration=8'],
  seeds: [0],
  variants: {
    'executor-first': {},
    debate: { system: 'debate' },
  },
  axes: { scheme: { coupled: ['stages.scheme=coupled'] }, layout: { split: ['policy.layout=split'] } },
});
