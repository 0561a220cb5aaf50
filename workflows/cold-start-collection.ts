/**
 * Cold-start examples from a teacher: it designs and executes like any policy, batch after batch until the questions or
 * the budget end; then what was right becomes a set. Resumable by question: stored answers are not asked for again.
 */
import { setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { CollectionPlan } from '../shared/domain/collection-plan.ts';
import { collectionId } from '../shared/domain/ids.ts';
import type { Batch } from '../shared/domain/tasks.ts';
import { activitiesOf } from './activity-proxies.ts';
import { answerQuestions } from './answer-questions.ts';
import { batchProgressQuery } from './messages.ts';

export async function coldStartCollection(plan: CollectionPlan): Promise<void> {
  const { runId, questions, designs, questionsPerBatch } = plan;
  const { control } = activitiesOf(plan);
  const batch: Batch = { runId, batchId: collectionId(runId), purpose: 'train', policyVersion: 0 };
  let asked = 0;
  setHandler(batchProgressQuery, () => ({ done: asked, of: questions, parts: 'questions' }), {
    description: 'How many questions the teacher has answered.',
  });
  while (asked < questions) {
    const { calls, tokens } = await control.collectionCost({ batchId: batch.batchId });
    setCurrentDetails(`${asked} of ${questions} questions · ${calls} model calls · ${tokens} tokens`);
    if ((plan.calls !== null && calls >= plan.calls) || (plan.tokens !== null && tokens >= plan.tokens)) break;
    const count = Math.min(questionsPerBatch, questions - asked);
    await answerQuestions({
      batch,
      slots: Array.from({ length: count }, (_, i) => ({ slot: asked + i, questionIndex: asked + i })),
      samples: designs,
      questionsPerBatch,
      concurrentBatches: 1,
      plan,
    });
    asked += count;
  }
  await control.recordSet({ runId, asked, questions });
}
