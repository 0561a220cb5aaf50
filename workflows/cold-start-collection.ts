/**
 * Cold-start examples from a teacher: it designs and executes like any policy, batch after batch until the questions or
 * the budget end; then what was right becomes a set. Resumable by question: stored answers are not asked for again.
 */
import { continueAsNew, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { CollectionPlan } from '../shared/domain/collection-plan.ts';
import { collectionId } from '../shared/domain/ids.ts';
import type { Batch } from '../shared/domain/tasks.ts';
import { activitiesOf } from './activity-proxies.ts';
import { answerQuestions } from './answer-questions.ts';
import { checkInput, unnestedPlanFields } from './check-input.ts';
import { batchProgressQuery } from './messages.ts';

/** `from`: questions that earlier executions have asked. */
export async function coldStartCollection(plan: CollectionPlan, from = 0): Promise<void> {
  checkInput('coldStartCollection', plan, {
    runId: 'text',
    questions: 'number',
    designs: 'number',
    questionsPerBatch: 'number',
    ...unnestedPlanFields,
  });
  const { runId, questions, designs, questionsPerBatch, revision } = plan;
  const { control } = activitiesOf(plan);
  const batch: Batch = { runId, batchId: collectionId(runId), purpose: 'train', policyVersion: 0, revision };
  let asked = from;
  setHandler(batchProgressQuery, () => ({ done: asked, of: questions, parts: 'questions' }), {
    description: 'How many questions the teacher has answered.',
  });
  while (asked < questions) {
    const { calls, tokens, begun = 0 } = await control.collectionCost({ batchId: batch.batchId });
    setCurrentDetails(`${asked} of ${questions} questions · ${calls} model calls · ${tokens} tokens`);
    // Stored answers cost nothing, and what was begun is ended: a budget ends what would be new.
    const isNew = asked >= begun;
    if (isNew && ((plan.calls !== null && calls >= plan.calls) || (plan.tokens !== null && tokens >= plan.tokens)))
      break;
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
    if (asked < questions && workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof coldStartCollection>(plan, asked);
  }
  await control.recordSet({ runId, revision, asked, questions });
}
