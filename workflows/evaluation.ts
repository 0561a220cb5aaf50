/**
 * avg@k of a pinned policy version on the held-out questions (paper section 4.1): k fresh designs a question, each
 * executed once, correctness only. Questions go in batches; each batch is resumable by question.
 */
import { continueAsNew, setCurrentDetails, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import { evaluationId, policyVersionName } from '../shared/domain/ids.ts';
import type { RunPlan } from '../shared/domain/plan.ts';
import type { Batch } from '../shared/domain/tasks.ts';
import { activitiesOf } from './activity-proxies.ts';
import { answerQuestions } from './answer-questions.ts';
import { lookDeeper, markdownTable, percentText, progressBar } from './details.ts';
import { batchProgressQuery } from './messages.ts';
import { searchAttributes } from './search-attributes.ts';
import { checkInput, planFields } from './check-input.ts';

export interface EvaluationInput {
  runId: string;
  /** Unique in the run, e.g. `cold-start`, `stage-02`, `final`. */
  name: string;
  policyVersion: number;
  /** Digest of the questions; absent: the run's held-out ones. */
  dataset?: string;
  /** Id of the system that answers; absent: the run's own designs. */
  system?: string;
  /** Questions that earlier executions have answered. */
  done?: number;
  plan: Pick<RunPlan, 'queues' | 'activities' | 'evaluation' | 'dashboardUrl' | 'revision'>;
}

export interface EvaluationResult {
  /** avg@k in [0, 1]. */
  average: number;
  metrics: Record<string, number>;
}

export async function evaluation(input: EvaluationInput): Promise<EvaluationResult> {
  checkInput('evaluation', input, {
    runId: 'text',
    name: 'text',
    policyVersion: 'number',
    'plan.evaluation.questions': 'number',
    ...planFields,
  });
  const { runId, name, policyVersion, dataset, system, plan } = input;
  const { samples, questions, questionsPerBatch, concurrentBatches } = plan.evaluation;
  const { control } = activitiesOf(plan);
  const batch: Batch = {
    runId,
    batchId: evaluationId(runId, name),
    purpose: 'evaluation',
    policyVersion,
    dataset,
    system,
    revision: plan.revision,
  };

  const before = input.done ?? 0;
  let done = before;
  setHandler(batchProgressQuery, () => ({ done, of: questions, parts: 'questions' }), {
    description: 'How many questions are judged.',
  });
  const answered = await answerQuestions({
    batch,
    slots: Array.from({ length: questions }, (_, slot) => ({ slot, questionIndex: slot })).slice(before),
    samples,
    questionsPerBatch,
    concurrentBatches,
    plan,
    whileShort: true,
    onJudged(more) {
      done += more;
      setCurrentDetails(
        `${progressBar(done, questions)} questions × ${samples} samples, ${policyVersionName(policyVersion)}`,
      );
    },
  });
  if (before + answered < questions) await continueAsNew<typeof evaluation>({ ...input, done: before + answered });
  const result = await control.recordEvaluation.executeWithOptions(
    { summary: `avg@${samples} of all ${questions} questions` },
    [{ ...batch, name, samples, questions }],
  );
  upsertSearchAttributes([{ key: searchAttributes.meanReward, value: result.average }]);
  setCurrentDetails(
    [
      `avg@${samples} **${percentText(result.average)}** on ${questions} held-out questions, ${policyVersionName(policyVersion)}`,
      '',
      markdownTable(
        ['metric', 'value'],
        Object.entries(result.metrics).map(([metric, value]) => [metric, String(Number(value.toPrecision(5)))]),
      ),
      '',
      lookDeeper(plan, batch.batchId),
    ].join('\n'),
  );
  return { average: result.average, metrics: result.metrics };
}
