/**
 * Every system under comparison on the toy world, three seeds, from the cold starts of `toy-ablations`. Trainings take 20
 * iterations of 4 questions; searches 12 rounds of 16 training questions. Measured figures are in docs/evaluation.md.
 */
import { defineStudy } from '../../shared/config/study.ts';
import ablations from './toy-ablations.ts';

const trained = ['stages.iterationsPerStage=10', 'stages.count=2'];
const trainedAtOnce = ['stages.iterationsPerStage=20', 'stages.count=1'];
const search = { rounds: 12, questions: 16 };

export default defineStudy({
  name: 'toy-systems',
  description:
    'All systems on the toy world, at most 5 model calls an answer: 20 iterations of 4 questions, or a search.',
  recipe: 'toy',
  set: [...ablations.set!],
  seeds: [0, 1, 2],
  coldStartsOf: 'toy-ablations',
  budget: 'calls=5',
  variants: {
    'single-agent': { system: 'single-agent' },
    'self-consistency': { system: 'self-consistency' },
    ensemble: { system: 'ensemble' },
    debate: { system: 'debate' },
    reflection: { system: 'reflection' },
    'untrained-designer': { system: 'untrained-designer' },
    aflow: { system: 'aflow', search },
    adas: { system: 'adas', search },
    maas: { system: 'maas', search },
    'single-agent-grpo': { system: 'single-agent-grpo', set: trainedAtOnce },
    scoreflow: { system: 'scoreflow', set: trainedAtOnce },
    metaagentx: { set: trained },
  },
});
