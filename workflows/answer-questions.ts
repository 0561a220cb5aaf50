/** Questions answered in batches and judged: what evaluations and searches have in common. Resumable by question. */
import type { RunPlan } from '../shared/domain/plan.ts';
import type { Batch, Slot } from '../shared/domain/tasks.ts';
import { activitiesOf } from './activity-proxies.ts';
import { mapWindow } from './window.ts';

export interface AnswerRequest {
  batch: Batch;
  slots: readonly Slot[];
  /** Answers a question. */
  samples: number;
  questionsPerBatch: number;
  concurrentBatches: number;
  plan: Pick<RunPlan, 'queues' | 'activities'>;
  /** Called when so many more questions are judged. */
  onJudged?: (questions: number) => void;
}

export async function answerQuestions(request: AnswerRequest): Promise<void> {
  const { batch, samples, plan, questionsPerBatch, concurrentBatches, onJudged } = request;
  const { rollout, sandbox } = activitiesOf(plan);
  await mapWindow(inBatches(request.slots, questionsPerBatch), concurrentBatches, async (slots) => {
    const range = `questions ${slots[0]!.slot}–${slots.at(-1)!.slot}`;
    await rollout.evaluateBatch.executeWithOptions({ summary: `${range} × ${samples} samples` }, [
      { ...batch, slots, samples },
    ]);
    await sandbox.verifyBatch.executeWithOptions({ summary: `verify ${range}` }, [{ ...batch, slots }]);
    onJudged?.(slots.length);
  });
}

const inBatches = (slots: readonly Slot[], size: number): Slot[][] =>
  Array.from({ length: Math.ceil(slots.length / size) }, (_, index) => slots.slice(index * size, (index + 1) * size));
