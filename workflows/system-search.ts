/**
 * A search with a frozen policy: candidates are proposed, executed on training questions and scored, one after another; or
 * a controller learns to pick from a pool. Ends after its rounds, or when its model calls are used up.
 */
import { continueAsNew, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { candidateId, searchStepId } from '../shared/domain/ids.ts';
import type { SearchPlan } from '../shared/domain/search-plan.ts';
import type { Batch } from '../shared/domain/tasks.ts';
import { drawQuestions } from '../shared/plan/draw-questions.ts';
import { activitiesOf } from './activity-proxies.ts';
import { answerQuestions } from './answer-questions.ts';
import { checkInput, unnestedPlanFields } from './check-input.ts';
import { batchProgressQuery } from './messages.ts';

export interface SystemSearchResult {
  /** Id of the system that was found. */
  system: string;
}

/** Where a search stands that continues as new. */
interface SearchProgress {
  round: number;
  calls: number;
}

export async function systemSearch(
  plan: SearchPlan,
  from: SearchProgress = { round: 0, calls: 0 },
): Promise<SystemSearchResult> {
  checkInput('systemSearch', plan, {
    searchId: 'text',
    runId: 'text',
    finds: 'text',
    rounds: 'number',
    questions: 'number',
    answers: 'number',
    trainQuestions: 'number',
    questionsPerBatch: 'number',
    concurrentBatches: 'number',
    ...unnestedPlanFields,
  });
  const { searchId, rounds } = plan;
  const { control } = activitiesOf(plan);
  let { round, calls } = from;
  setHandler(batchProgressQuery, () => ({ done: round, of: rounds, parts: 'rounds of the search' }), {
    description: 'How many rounds of the search are done.',
  });
  while (round < rounds && (plan.calls === null || calls < plan.calls)) {
    calls = await (plan.finds === 'script' ? tryCandidate : learnStep)(plan, round);
    round += 1;
    setCurrentDetails(`${round} of ${rounds} rounds · ${calls} model calls`);
    if (round < rounds && workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof systemSearch>(plan, { round, calls });
  }
  return control.concludeSearch({ searchId, rounds: round });
}

/** Model calls so far. */
async function tryCandidate(plan: SearchPlan, round: number): Promise<number> {
  const { searchId, revision } = plan;
  const { control, rollout } = activitiesOf(plan);
  const summary = `candidate ${round}`;
  const { isNew } = await rollout.proposeCandidate.executeWithOptions({ summary }, [{ searchId, round, revision }]);
  // All candidates answer the same questions.
  if (isNew) await answer(plan, candidateId(searchId, round), 0);
  return (await control.scoreCandidate({ searchId, round })).calls;
}

async function learnStep(plan: SearchPlan, round: number): Promise<number> {
  const { searchId, revision } = plan;
  const { control } = activitiesOf(plan);
  if (round === 0) await control.advanceController({ searchId, round, revision });
  await answer(plan, searchStepId(searchId, round), round * plan.questions);
  return (await control.advanceController({ searchId, round: round + 1, revision })).calls;
}

/** The system of a candidate or a step has the id of its batch. */
async function answer(plan: SearchPlan, batchId: string, cursor: number): Promise<void> {
  const { runId, policyVersion, questions, answers, questionsPerBatch, concurrentBatches, revision } = plan;
  const batch: Batch = { runId, batchId, purpose: 'train', policyVersion, system: batchId, revision };
  const drawn = drawQuestions(plan.seed, plan.trainQuestions, cursor, questions);
  await answerQuestions({
    batch,
    slots: drawn.map((questionIndex, slot) => ({ slot, questionIndex })),
    samples: answers,
    questionsPerBatch,
    concurrentBatches,
    plan,
  });
}
