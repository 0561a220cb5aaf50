/** A run's page in the Temporal UI: where it stands, the plan with progress by stage, held-out results. Pure. */
import { policyVersionName } from '../shared/domain/ids.ts';
import type { Progress, RunPlan } from '../shared/domain/plan.ts';
import { lookDeeper, markdownTable, percentText, progressBar, rewardText } from './details.ts';

/** What is known of one stage; rewards are those seen since this execution of the run's workflow began. */
export interface StageFacts {
  done: number;
  firstReward: number | null;
  lastReward: number | null;
}

export function runDetails(plan: RunPlan, progress: Progress, stages: readonly StageFacts[]): string {
  const { runId, phase, stage, learner, iteration, iterations, policyVersion, evaluations, question } = progress;
  const where =
    stage === null
      ? phase
      : `${phase} · stage ${stage} of ${plan.stages.length} (${learner}) · ${iteration ?? 0} of ${iterations ?? 0} iterations`;
  return [
    ...(question == null
      ? []
      : [
          `**Waits for a decision** about ${question.about}: ${question.failure}`,
          '',
          `Answer with the update \`decide\` or \`npx metaagentx decide ${runId} ${question.choices.join('|')}\``,
          '',
        ]),
    `**${where}** · ${policyVersion === null ? 'no policy yet' : policyVersionName(policyVersion)}`,
    '',
    markdownTable(
      ['stage', 'learns', 'progress', 'mean reward'],
      plan.stages.map((planned, index) => {
        const { done, firstReward, lastReward } = stages[index] ?? { done: 0, firstReward: null, lastReward: null };
        const rewards = lastReward === null ? '–' : `${rewardText(firstReward)} → ${rewardText(lastReward)}`;
        return [String(planned.stage), planned.learner, progressBar(done, planned.iterations), rewards];
      }),
    ),
    '',
    markdownTable(
      ['held-out evaluation', `avg@${plan.evaluation.samples}`],
      Object.entries(evaluations).map(([name, average]) => [name, percentText(average)]),
    ),
    '',
    lookDeeper(plan, runId),
  ].join('\n');
}
