/** Trainings under comparison that are changes of a recipe: who learns, from which designs, by which objective. */
import type { Recipe } from '../config/recipe.ts';
import { singleAgent } from './single-agent.ts';
import type { TrainedSystem } from './system.ts';

/** All iterations in one stage of this scheme. */
const oneStage = (scheme: string, { stages }: Recipe) => [
  `stages.scheme=${scheme}`,
  'stages.count=1',
  `stages.iterationsPerStage=${stages.iterationsPerStage * stages.count}`,
];

export const scoreFlow: TrainedSystem = {
  kind: 'trained',
  name: 'scoreflow',
  summary: 'the Designer alone is trained on score-weighted preferences between its designs, the executor frozen',
  paper: 'Wang et al. 2025, ScoreFlow, Score-DPO (arXiv 2502.04306)',
  departures: [
    'the pairwise logistic loss is taken at the reference policy, where its gradient over all pairs, weighted by the difference of their scores, is each design’s score less the mean of its question',
    'a KL penalty to the first policy stands for the log-ratio of the loss',
    'preferences are sampled anew in every iteration; the paper collects them in a few rounds',
    'one policy plays both roles, so a change for the Designer can move the executor; the paper has two models',
  ],
  changes: (recipe) => [
    'credit.designer=mean-only',
    'update.klCoef=0.05',
    'update.klReference=start',
    'rollout.designsPerQuestion=8',
    'rollout.executionsPerDesign=2',
    ...oneStage('designer-only', recipe),
  ],
};

export const singleAgentGrpo: TrainedSystem = {
  kind: 'trained',
  name: 'single-agent-grpo',
  summary: 'the single agent trained by group-relative policy gradient, 16 answers a question',
  paper: 'Shao et al. 2024, DeepSeekMath, GRPO (arXiv 2402.03300)',
  departures: [
    'no KL term, as the MetaAgent-X paper trains its own roles',
    'M = 1 and N = 16: as many executions a question as 4 × 4, without the calls of designs',
  ],
  changes: (recipe) => [
    `designs.script=${singleAgent.script({ form: recipe.prompts.form, budget: null, callLimit: 1 })}`,
    'rollout.designsPerQuestion=1',
    'rollout.executionsPerDesign=16',
    ...oneStage('executor-only', recipe),
  ],
};
