/**
 * What an export holds: one table a kind of record, its columns with their types, and how a stored document becomes a row.
 * Token ids and log-probs come out of their packed form. Pure.
 */
import type {
  CallDocument,
  CreditDocument,
  DesignDocument,
  ExecutionDocument,
  VerdictDocument,
} from '../../activities/store/documents.ts';
import { unpackFloats, unpackInts } from '../../activities/store/packed.ts';
import type { TrajectoryFields } from '../../activities/store/documents.ts';

/** Lists hold 32-bit numbers. */
export type ColumnType = 'STRING' | 'INT32' | 'DOUBLE' | 'BOOLEAN' | 'INT32[]' | 'FLOAT[]';
export type Value = string | number | boolean | number[] | null;
export type Row = Record<string, Value>;

export interface TablePlan {
  name: 'designs' | 'executions' | 'calls' | 'credits';
  columns: Readonly<Record<string, ColumnType>>;
}

const owner = { id: 'STRING', run_id: 'STRING', batch_id: 'STRING', rollout_id: 'STRING' } as const;
const trajectory = {
  policy_version: 'INT32',
  part: 'STRING',
  seed_key: 'STRING',
  sampling: 'STRING',
  prompt_ids: 'INT32[]',
  token_ids: 'INT32[]',
  log_probs: 'FLOAT[]',
  finish_reason: 'STRING',
} as const;

/** `sampling`, `messages`, `usage`, `terms` are JSON. */
export const tables: readonly TablePlan[] = [
  {
    name: 'designs',
    columns: {
      ...owner,
      design: 'INT32',
      question: 'STRING',
      written_by: 'STRING',
      outcome: 'STRING',
      problem: 'STRING',
      pattern: 'STRING',
      agents: 'INT32',
      script: 'STRING',
      reply: 'STRING',
      ...trajectory,
    },
  },
  {
    name: 'executions',
    columns: {
      ...owner,
      design_id: 'STRING',
      execution: 'INT32',
      question: 'STRING',
      outcome: 'STRING',
      problem: 'STRING',
      reply: 'STRING',
      answer: 'STRING',
      correct: 'BOOLEAN',
      reward: 'DOUBLE',
      terms: 'STRING',
      usage: 'STRING',
      duration_ms: 'DOUBLE',
      policy_version: 'INT32',
    },
  },
  {
    name: 'calls',
    columns: {
      id: 'STRING',
      run_id: 'STRING',
      batch_id: 'STRING',
      execution_id: 'STRING',
      call: 'INT32',
      kind: 'STRING',
      agent: 'STRING',
      agent_part: 'STRING',
      node_path: 'STRING',
      messages: 'STRING',
      answer: 'STRING',
      status: 'STRING',
      ...trajectory,
    },
  },
  {
    name: 'credits',
    columns: {
      ...owner,
      role: 'STRING',
      reward: 'DOUBLE',
      baseline: 'DOUBLE',
      advantage: 'DOUBLE',
      group: 'STRING',
      group_size: 'INT32',
    },
  },
];

const ownerOf = ({
  _id,
  runId,
  batchId,
  rolloutId,
}: Pick<DesignDocument, '_id' | 'runId' | 'batchId' | 'rolloutId'>) => ({
  id: _id,
  run_id: runId,
  batch_id: batchId,
  rollout_id: rolloutId,
});

/** All null for a tool call, which samples nothing. */
const trajectoryOf = (sampled: Partial<TrajectoryFields>): Row => ({
  policy_version: sampled.policyVersion ?? null,
  part: sampled.part ?? null,
  seed_key: sampled.seedKey ?? null,
  sampling: sampled.sampling === undefined ? null : JSON.stringify(sampled.sampling),
  prompt_ids: sampled.promptIds === undefined ? null : [...unpackInts(sampled.promptIds)],
  token_ids: sampled.tokenIds === undefined ? null : [...unpackInts(sampled.tokenIds)],
  log_probs: sampled.logProbs === undefined ? null : [...unpackFloats(sampled.logProbs)],
  finish_reason: sampled.finishReason ?? null,
});

export const designRow = (design: DesignDocument): Row => ({
  ...ownerOf(design),
  design: design.design,
  question: design.question,
  written_by: design.writtenBy,
  outcome: design.outcome,
  problem: design.problem?.message ?? null,
  pattern: design.structure?.pattern ?? null,
  agents: design.structure?.agents ?? null,
  script: design.script,
  reply: design.reply,
  ...trajectoryOf(design),
});

export const executionRow = (execution: ExecutionDocument, verdict: VerdictDocument | undefined): Row => ({
  ...ownerOf(execution),
  design_id: execution.designId,
  execution: execution.execution,
  question: execution.question,
  outcome: execution.outcome,
  problem: execution.problem?.message ?? null,
  reply: execution.reply?.text ?? null,
  answer: execution.reply?.answer ?? null,
  correct: verdict?.verdict?.correct ?? null,
  reward: verdict?.reward ?? null,
  terms: verdict === undefined ? null : JSON.stringify(verdict.terms),
  usage: JSON.stringify(execution.usage),
  duration_ms: execution.durationMs,
  policy_version: execution.policyVersion,
});

export const callRow = (call: CallDocument): Row => ({
  id: call._id,
  run_id: call.runId,
  batch_id: call.batchId,
  execution_id: call.executionId,
  call: call.call,
  kind: call.kind,
  agent: call.agentName,
  agent_part: call.agentPart,
  node_path: call.nodePath,
  messages: JSON.stringify(call.kind === 'tool' ? call.tool : call.messages),
  answer: call.answer.text,
  status: call.answer.status,
  ...trajectoryOf(call),
});

export const creditRow = (credit: CreditDocument): Row => ({
  ...ownerOf(credit),
  role: credit.role,
  reward: credit.reward,
  baseline: credit.baseline,
  advantage: credit.advantage,
  group: credit.group,
  group_size: credit.groupSize,
});
