/**
 * What a run's document says there must be: batches in their order with shape and policy version, and the chain of
 * versions. Derived from the stored plan and recipe alone.
 */
import { evaluationId, iterationId } from '../shared/domain/ids.ts';
import type { Learner } from '../shared/domain/plan.ts';
import type { RunDocument } from '../activities/store/documents.ts';

export interface ExpectedBatch {
  id: string;
  purpose: 'train' | 'evaluation';
  /** Designs a question, and executions of each valid one. */
  designs: number;
  executions: number;
  questions: number;
  policyVersion: number;
}

export interface ExpectedIteration extends ExpectedBatch {
  stage: number;
  iteration: number;
  learner: Learner;
}

export interface ExpectedEvaluation extends ExpectedBatch {
  name: string;
}

export interface Expected {
  iterations: ExpectedIteration[];
  evaluations: ExpectedEvaluation[];
  /** What must have made version n. */
  versions: { madeBy: string; learner: Learner | null }[];
}

const two = (value: number) => String(value).padStart(2, '0');
const three = (value: number) => String(value).padStart(3, '0');

export function expectedOf(run: RunDocument): Expected {
  const { _id: runId, plan } = run;
  const { rollout, evaluation } = plan;
  const iterations: ExpectedIteration[] = [];
  const evaluations: ExpectedEvaluation[] = [];
  const versions: Expected['versions'] = [{ madeBy: 'initial', learner: null }];
  for (let chunk = 1; chunk <= plan.coldStartChunks; chunk++) {
    versions.push({ madeBy: `cold-start-${chunk}`, learner: null });
  }
  const evaluate = (name: string) => {
    if (evaluation.questions > 0)
      evaluations.push(evaluationBatch(runId, name, versions.length - 1, evaluation.samples, evaluation.questions));
  };
  evaluate('cold-start');
  for (const { stage, learner, iterations: count } of plan.stages) {
    for (let iteration = 1; iteration <= count; iteration++) {
      const id = iterationId(runId, stage, iteration);
      iterations.push({
        id,
        purpose: 'train',
        stage,
        iteration,
        learner,
        designs: rollout.designsPerQuestion,
        executions: rollout.executionsPerDesign,
        questions: rollout.questionsPerIteration,
        policyVersion: versions.length - 1,
      });
      versions.push({ madeBy: id, learner });
      const every = evaluation.everyIterations;
      if (every > 0 && iteration % every === 0 && iteration < count) {
        evaluate(`stage-${two(stage)}-iter-${three(iteration)}`);
      }
    }
    if (evaluation.stageEnds !== 'last' || stage === plan.stages.length) evaluate(`stage-${two(stage)}`);
  }
  return { iterations, evaluations, versions };
}

export const evaluationBatch = (
  runId: string,
  name: string,
  policyVersion: number,
  samples: number,
  questions: number,
): ExpectedEvaluation => ({
  id: evaluationId(runId, name),
  name,
  purpose: 'evaluation',
  designs: samples,
  executions: 1,
  questions,
  policyVersion,
});
