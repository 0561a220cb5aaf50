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
