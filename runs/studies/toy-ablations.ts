/**
 * The method's ablations on the toy world: update schemes, stage length K, rollout shapes M×N, shared and split policies,
 * credit variants. 60 iterations of 4 questions each, from one cold start a seed; measured figures are in docs/log.md.
 */
import { defineStudy } from '../../shared/config/study.ts';

const stages = (length: number) => [`stages.iterationsPerStage=${length}`, `stages.count=${60 / length}`];
const oneStage = (scheme: string) => [`stages.scheme=${scheme}`, 'stages.iterationsPerStage=60', 'stages.count=1'];
const shape = (designs: number, executions: number) => [
  `rollout.designsPerQuestion=${designs}`,
  `rollout.executionsPerDesign=${executions}`,
];

export default defineStudy({
  name: 'toy-ablations',
  description: 'Update schemes, K, M×N, policy layout and credit on the toy world: 60 iterations of 4 questions.',
  recipe: 'toy',
  set: [
    'rollout.questionsPerIteration=4',
    'update.miniBatches=1',
    'evaluation.stageEnds=last',
    'retention.weights=2',
    'retention.optimizer=1',
    ...stages(10),
  ],
  seeds: [0, 1, 2],
  variants: {
    'stagewise-k10': {},
    'stagewise-k1': { set: stages(1) },
    'stagewise-k30': { set: stages(30) },
    coupled: { set: oneStage('coupled') },
    'executor-only': { set: oneStage('executor-only') },
    'designer-only': { set: oneStage('designer-only') },
    'shape-8x1': { set: shape(8, 1) },
    'shape-1x8': { set: shape(1, 8) },
    split: { set: ['policy.layout=split'] },
    'credit-by-design': { set: ['credit.executor.group=design'] },
    'credit-mean-only': { set: ['credit.designer=mean-only', 'credit.executor.normalise=mean-only'] },
    'credit-leave-one-out': { set: ['credit.designer=leave-one-out', 'credit.executor.normalise=leave-one-out'] },
  },
});
