/** Every activity by the queue it runs on. Workflows import the types of this file, workers its values. */
import type {
  AssignCreditInput,
  EvaluateBatchInput,
  ExecuteDesignInput,
  FineTuneInput,
  GradientShardInput,
  InitializePolicyInput,
  RecordDecisionInput,
  RecordEvaluationInput,
  RecordIterationInput,
  RecordRunInput,
  RecordStageInput,
  RollOutInput,
  SampleDesignsInput,
  UpdatePolicyInput,
  VerifyBatchInput,
} from '../shared/domain/tasks.ts';
import type { SearchRound } from '../shared/domain/search-plan.ts';
import type { RecordSetInput } from '../shared/domain/collection-plan.ts';
import type { ReadStudyRunInput, RecordStudyInput } from '../shared/domain/study-plan.ts';
import { assignCredit } from './assign-credit.ts';
import { bounded } from './boundary.ts';
import { collectionCost } from './coldstart/collection-cost.ts';
import { recordSet } from './coldstart/record-set.ts';
import { fineTune } from './fine-tune.ts';
import { gradientShard } from './gradient-shard.ts';
import { initializePolicy } from './initialize-policy.ts';
import { recordEvaluation } from './evaluation/record-evaluation.ts';
import { advanceController } from './systems/advance-controller.ts';
import { concludeSearch } from './systems/conclude-search.ts';
import { proposeCandidate } from './systems/propose-candidate.ts';
import { scoreCandidate } from './systems/score-candidate.ts';
import { readStudyRun } from './study/read-study-run.ts';
import { recordStudy } from './study/record-study.ts';
import { recordDecision, recordIteration, recordRun, recordStage } from './records.ts';
import type { RolloutDeps } from './rollout/context.ts';
import { evaluateBatch } from './rollout/evaluate-batch.ts';
import { executeDesign } from './rollout/execute-design.ts';
import { rollOut } from './rollout/roll-out.ts';
import { sampleDesigns } from './rollout/sample-designs.ts';
import type { RunContexts } from './run-context.ts';
import type { Store } from './store/connect.ts';
import { updatePolicy } from './update-policy.ts';
import { verifyBatch } from './verify-batch.ts';
import type { VerifyDeps } from './verify-batch.ts';

export function controlActivities(deps: { store: Store; runs: RunContexts }) {
  return {
    recordRun: bounded((input: RecordRunInput) => recordRun(deps, input)),
    recordDecision: bounded((input: RecordDecisionInput) => recordDecision(deps, input)),
    recordStage: bounded((input: RecordStageInput) => recordStage(deps, input)),
    recordIteration: bounded((input: RecordIterationInput) => recordIteration(deps, input)),
    recordEvaluation: bounded((input: RecordEvaluationInput) => recordEvaluation(deps, input)),
    scoreCandidate: bounded((input: SearchRound) => scoreCandidate(deps, input)),
    advanceController: bounded((input: SearchRound) => advanceController(deps, input)),
    concludeSearch: bounded((input: { searchId: string; rounds: number }) => concludeSearch(deps, input)),
    collectionCost: bounded((input: { batchId: string }) => collectionCost(deps, input)),
    recordSet: bounded((input: RecordSetInput) => recordSet(deps, input)),
    readStudyRun: bounded((input: ReadStudyRunInput) => readStudyRun(deps, input)),
    recordStudy: bounded((input: RecordStudyInput) => recordStudy(deps, input)),
    assignCredit: bounded((input: AssignCreditInput) => assignCredit(deps, input)),
  };
}

export function gpuActivities(deps: RolloutDeps) {
  return {
    initializePolicy: bounded(async (input: InitializePolicyInput) => ({
      policyVersion: await initializePolicy(deps, input),
    })),
    fineTune: bounded(async (input: FineTuneInput, attempt) => ({
      policyVersion: await fineTune(deps, input, attempt),
    })),
    sampleDesigns: bounded((input: SampleDesignsInput, { signal }) => sampleDesigns(deps, input, signal)),
    executeDesign: bounded((input: ExecuteDesignInput, attempt) => executeDesign(deps, input, attempt)),
    rollOut: bounded((input: RollOutInput, attempt) => rollOut(deps, input, attempt)),
    evaluateBatch: bounded((input: EvaluateBatchInput, attempt) => evaluateBatch(deps, input, attempt)),
    proposeCandidate: bounded((input: SearchRound, { signal }) => proposeCandidate(deps, input, signal)),
    gradientShard: bounded((input: GradientShardInput, attempt) => gradientShard(deps, input, attempt)),
    updatePolicy: bounded((input: UpdatePolicyInput, attempt) => updatePolicy(deps, input, attempt)),
  };
}

export function sandboxActivities(deps: VerifyDeps) {
  return {
    verifyBatch: bounded((input: VerifyBatchInput, { signal }) => verifyBatch(deps, input, signal)),
  };
}

export type ControlActivities = ReturnType<typeof controlActivities>;
export type GpuActivities = ReturnType<typeof gpuActivities>;
export type SandboxActivities = ReturnType<typeof sandboxActivities>;
