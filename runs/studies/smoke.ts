/** The whole of a study in two minutes, for tests and for a first look: too short to show anything. */
import { defineStudy } from '../../shared/config/study.ts';

/** With an entropy bonus every batch has a gradient, whatever its rewards: both roles learn in the one iteration. */
const learning = ['update.dropZeroAdvantage=false', 'update.entropyCoef=0.01'];

export default defineStudy({
  name: 'smoke',
  description: 'A trained variant, an axis and a fixed system at their smallest.',
  recipe: 'smoke',
  set: ['stages.iterationsPerStage=1', 'stages.count=1', 'rollout.questionsPerIteration=8', ...learning],
  seeds: [0],
  variants: {
    'executor-first': {},
    debate: { system: 'debate' },
  },
  axes: { scheme: { coupled: ['stages.scheme=coupled'] }, layout: { split: ['policy.layout=split'] } },
});
