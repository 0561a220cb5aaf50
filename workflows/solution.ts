/**
 * One question that somebody asks: the Designer writes designs until one may run, the Executor runs it once. The answer
 * is not judged, for nobody knows it.
 */
import type { RunPlan } from '../shared/domain/plan.ts';
import type { Batch } from '../shared/domain/tasks.ts';
import { activitiesOf } from './activity-proxies.ts';
import { checkInput, planFields } from './check-input.ts';

export interface SolutionInput {
  runId: string;
  batchId: string;
  policyVersion: number;
  /** Digest of a dataset that holds the question alone. */
  dataset: string;
  /** Designs that are tried, at most. */
  designs: number;
  plan: Pick<RunPlan, 'queues' | 'activities' | 'revision'>;
}

export interface SolutionResult {
  /** The design that ran; null when none of those tried may run. */
  design: number | null;
  tried: number;
}

export async function solution(input: SolutionInput): Promise<SolutionResult> {
  checkInput('solution', input, { runId: 'text', batchId: 'text', designs: 'number', ...planFields });
  const { plan, designs, ...batch } = input;
  const { rollout } = activitiesOf(plan);
  const asked: Batch & { slot: number; questionIndex: number } = {
    ...batch,
    purpose: 'evaluation',
    revision: plan.revision,
    slot: 0,
    questionIndex: 0,
  };
  for (let tried = 1; tried <= designs; tried++) {
    const { valid } = await rollout.sampleDesigns.executeWithOptions({ summary: `design ${tried}` }, [
      { ...asked, designs: tried },
    ]);
    const design = valid[0];
    if (design === undefined) continue;
    await rollout.executeDesign.executeWithOptions({ summary: `execute design ${design}` }, [
      { ...asked, design, executions: 1 },
    ]);
    return { design, tried };
  }
  return { design: null, tried: designs };
}
