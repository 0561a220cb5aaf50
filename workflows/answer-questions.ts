/** Questions answered in batches and judged: what evaluations and searches have in common. Resumable by question. */
import type { RunPlan } from '../shared/domain/plan.ts';
import type { Batch, Slot } from '../shared/domain/tasks.ts';
import { activitiesOf } from './activity-proxies.ts';
import { mapWhileShort, mapWindow } from './window.ts';

export interface AnswerRequest {
  batch: Batch;
  slots: readonly Slot[];
  /** Answers a question. */
  samples: number;
  questionsPerBatch: number;
  concurrentBatches: number;
  plan: Pick<RunPlan, 'queues' | 'activities'>;
  /** Only as many as fit into a history; absent: all. */
  whileShort?: true;
  /** Called when so many more questions are judged. */
  onJudged?: (questions: number) => void;
}

/** How many of the first slots are answered. */
export async function answerQuestions(request: AnswerRequest): Promise<number> {
  const { batch, samples, plan, questionsPerBatch, concurrentBatches, onJudged } = request;
  const { rollout, sandbox } = activitiesOf(plan);
  const map = request.whileShort ? mapWhileShort : mapWindow;
  const answered = await map(inBatches(request.slots, questionsPerBatch), concurrentBatches, async (slots) => {
    const range = `questions ${slots[0]!.slot}–${slots.at(-1)!.slot}`;
    await rollout.evaluateBatch.executeWithOptions({ summary: `${range} × ${samples} samples` }, [
      { ...batch, slots, samples },
    ]);
    await sandbox.verifyBatch.executeWithOptions({ summary: `verify ${range}` }, [{ ...batch, slots }]);
    onJudged?.(slots.length);
    return slots.length;
  });
  return answered.reduce((sum, count) => sum + count, 0);
}

const inBatches = (slots: readonly Slot[], size: number): Slot[][] =>
  Array.from({ length: Math.ceil(slots.length / size) }, (_, index) => slots.slice(index * size, (index + 1) * size));
