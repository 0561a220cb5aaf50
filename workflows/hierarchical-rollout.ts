/**
 * One question: M designs are sampled, each valid one is executed N times, all executions are verified (paper section
 * 3.1, hierarchical rollout). An invalid design is data: reward 0, no executions. Two activities, for gold answers are
 * read on another queue than scripts run on.
 */
import { createEventGroup, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { rolloutId } from '../shared/domain/ids.ts';
import type { RunPlan } from '../shared/domain/plan.ts';
import type { Batch, RollOutResult, Slot, VerifyBatchResult } from '../shared/domain/tasks.ts';
import { activitiesOf } from './activity-proxies.ts';
import { lookDeeper, markdownTable, rewardText } from './details.ts';
import { searchAttributes } from './search-attributes.ts';
import { checkInput, planFields } from './check-input.ts';

export interface HierarchicalRolloutInput extends Batch, Slot {
  designs: number;
  executions: number;
  /** Absent where the rollout began before designs and executions were one activity. */
  inOneActivity?: true;
  plan: Pick<RunPlan, 'queues' | 'activities' | 'dashboardUrl'>;
}

export interface HierarchicalRolloutResult extends VerifyBatchResult {
  validDesigns: number;
  designs: number;
  calls: number;
}

export async function hierarchicalRollout(input: HierarchicalRolloutInput): Promise<HierarchicalRolloutResult> {
  checkInput('hierarchicalRollout', input, {
    runId: 'text',
    batchId: 'text',
    slot: 'number',
    designs: 'number',
    executions: 'number',
    ...planFields,
  });
  const { plan, designs, executions, inOneActivity, ...rest } = input;
  const { rollout, sandbox } = activitiesOf(plan);
  const { slot, questionIndex, ...batch } = rest;
  const summary = `question ${questionIndex}: ${designs} designs × ${executions} executions`;
  const { valid } =
    inOneActivity === true
      ? await rollout.rollOut.executeWithOptions({ summary }, [{ ...rest, designs, executions }])
      : await inSteps(input);
  const verified = await sandbox.verifyBatch.executeWithOptions({ summary: 'verify all executions' }, [
    { ...batch, slots: [{ slot, questionIndex }] },
  ]);
  const calls = valid.reduce((sum, result) => sum + result.calls, 0);
  // A question without a valid design has the worst reward there is, not none.
  upsertSearchAttributes([{ key: searchAttributes.meanReward, value: verified.meanReward ?? 0 }]);
  setCurrentDetails(
    [
      markdownTable(
        ['question', 'valid designs', 'executions', 'correct', 'mean reward', 'calls'],
        [
          [
            String(questionIndex),
            `${valid.length}/${designs}`,
            String(verified.executions),
            String(verified.correct),
            rewardText(verified.meanReward),
            String(calls),
          ],
        ],
      ),
      '',
      markdownTable(
        ['design', 'executions with a reply', 'calls'],
        valid.map((result) => [String(result.design), `${result.replied}/${executions}`, String(result.calls)]),
      ),
      '',
      lookDeeper(plan, rolloutId(batch.batchId, slot)),
    ].join('\n'),
  );
  return { ...verified, validDesigns: valid.length, designs, calls };
}

/** As rollouts did before they were one activity, command by command: for those that are still under way. */
async function inSteps(input: HierarchicalRolloutInput): Promise<Pick<RollOutResult, 'valid'>> {
  const { plan, designs, executions, ...rest } = input;
  const { rollout } = activitiesOf(plan);
  const sampled = await rollout.sampleDesigns.executeWithOptions(
    { summary: `${designs} designs for question ${rest.questionIndex}` },
    [{ ...rest, designs }],
  );
  const valid = await Promise.all(
    sampled.valid.map((design) =>
      createEventGroup(`design ${design}`).withScope(async () => ({
        design,
        ...(await rollout.executeDesign.executeWithOptions({ summary: `design ${design} × ${executions} executions` }, [
          { ...rest, design, executions },
        ])),
      })),
    ),
  );
  return { valid };
}
