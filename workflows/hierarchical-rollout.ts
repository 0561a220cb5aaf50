/**
 * One question: M designs are sampled, each valid one is executed N times, all executions are verified (paper section
 * 3.1, hierarchical rollout). An invalid design is data: reward 0, no executions. At most 2 + M activities.
 */
import { createEventGroup, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { rolloutId } from '../shared/domain/ids.ts';
import type { RunPlan } from '../shared/domain/plan.ts';
import type { Batch, Slot, VerifyBatchResult } from '../shared/domain/tasks.ts';
import { activitiesOf } from './activity-proxies.ts';
import { lookDeeper, markdownTable, rewardText } from './details.ts';
import { searchAttributes } from './search-attributes.ts';
import { checkInput, planFields } from './check-input.ts';

export interface HierarchicalRolloutInput extends Batch, Slot {
  designs: number;
  executions: number;
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
  const { plan, designs, executions, ...rest } = input;
  const { rollout, sandbox } = activitiesOf(plan);
  const { slot, questionIndex, ...batch } = rest;

  const sampled = await rollout.sampleDesigns.executeWithOptions(
    { summary: `${designs} designs for question ${questionIndex}` },
    [{ ...rest, designs }],
  );
  const executed = await Promise.all(
    sampled.valid.map((design) =>
      createEventGroup(`design ${design}`).withScope(() =>
        rollout.executeDesign.executeWithOptions({ summary: `design ${design} × ${executions} executions` }, [
          { ...rest, design, executions },
        ]),
      ),
    ),
  );
  const verified = await sandbox.verifyBatch.executeWithOptions({ summary: 'verify all executions' }, [
    { ...batch, slots: [{ slot, questionIndex }] },
  ]);
  const calls = executed.reduce((sum, result) => sum + result.calls, 0);
  // A question without a valid design has the worst reward there is, not none.
  upsertSearchAttributes([{ key: searchAttributes.meanReward, value: verified.meanReward ?? 0 }]);
  setCurrentDetails(
    [
      markdownTable(
        ['question', 'valid designs', 'executions', 'correct', 'mean reward', 'calls'],
        [
          [
            String(questionIndex),
            `${sampled.valid.length}/${designs}`,
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
        executed.map((result, index) => [
          String(sampled.valid[index]),
          `${result.replied}/${executions}`,
          String(result.calls),
        ]),
      ),
      '',
      lookDeeper(plan, rolloutId(batch.batchId, slot)),
    ].join('\n'),
  );
  return { ...verified, validDesigns: sampled.valid.length, designs, calls };
}
