/** Forms of what a rollout leaves: designs, executions, calls, verdicts, credits. */
import { z } from 'zod';
import type { Verdict } from '../../../shared/domain/question.ts';
import type { RewardTerm } from '../../../shared/rl/reward.ts';
import { designOutcomes, executionOutcomes } from '../../../shared/script/outcomes.ts';
import type { CodeTestVerdict, CodeVerdict } from '../../runtime/python/judge-code.ts';
import type { JournalRecord } from '../../runtime/script/contract.ts';
import type {
  CallDocument,
  CreditDocument,
  DesignDocument,
  DesignStructure,
  ExecutionDocument,
  VerdictDocument,
} from '../documents.ts';
import { count, identity, object, problem, promptForm, real, role, text, trajectory, usage } from './form.ts';
import type { Fields } from './form.ts';

const batch = { runId: text, batchId: text };
const rolled = { ...batch, rolloutId: text };
const executionOutcome = z.enum(executionOutcomes);

export const design: Fields<DesignDocument> = {
  ...identity,
  ...trajectory,
  ...rolled,
  design: count,
  question: text,
  writtenBy: z.enum(['designer', 'system']),
  reply: text,
  script: text.nullable(),
  outcome: z.enum(designOutcomes),
  problem: problem.nullable(),
  structure: object<DesignStructure>({ agents: count, pattern: text }).nullable(),
  dryRun: z
    .array(
      object<NonNullable<DesignDocument['dryRun']>[number]>({ shape: text, outcome: executionOutcome, calls: count }),
    )
    .optional(),
};

export const execution: Fields<ExecutionDocument> = {
  ...identity,
  ...rolled,
  designId: text,
  execution: count,
  question: text,
  outcome: executionOutcome,
  problem: problem.nullable(),
  reply: object<NonNullable<ExecutionDocument['reply']>>({ text, answer: text.nullable() }).nullable(),
  usage,
  trace: z.unknown(),
  policyVersion: count,
  attempt: text,
  durationMs: real,
  replayedCalls: count,
  promptForm,
};

/** Tools sample nothing: a call may be without a trajectory. */
const sampled = Object.fromEntries(
  Object.entries(trajectory).map(([name, schema]) => [name, (schema as z.ZodType).optional()]),
) as unknown as Pick<Fields<CallDocument>, keyof typeof trajectory>;

export const call: Fields<CallDocument> = {
  ...identity,
  ...sampled,
  ...batch,
  executionId: text,
  attempt: text,
  call: count,
  kind: z.enum(['model', 'tool']),
  hash: text,
  nodePath: text,
  agentName: text,
  agentPart: text.nullable(),
  messages: z.array(object<{ role: string; content: string }>({ role: text, content: text })).nullable(),
  tool: object<NonNullable<CallDocument['tool']>>({ name: text, input: text }).optional(),
  answer: object<JournalRecord['answer']>({
    text,
    answer: text.nullable(),
    promptTokens: count,
    responseTokens: count,
    status: z.enum(['ok', 'length', 'failed', 'prompt-too-long']),
    data: z.json().optional(),
  }),
};

const tested = object<CodeTestVerdict>({
  status: text as unknown as z.ZodType<CodeTestVerdict['status']>,
  error: text.nullable(),
  cpuMs: real,
  wallMs: real,
});
export const verdict: Fields<VerdictDocument> = {
  ...identity,
  ...rolled,
  verdict: object<Verdict>({ correct: z.boolean(), ratio: real, answer: text.nullable(), how: text }).nullable(),
  reward: real,
  terms: z.array(object<RewardTerm>({ term: z.enum(['correctness', 'answered']), value: real })),
  tier: text.nullable(),
  code: object<CodeVerdict>({
    correct: z.boolean(),
    status: text as unknown as z.ZodType<CodeVerdict['status']>,
    passed: count,
    total: count,
    ratio: real,
    error: text.nullable(),
    tests: z.array(tested),
    stopped: z.enum(['first-failure', 'program-limit']).nullable(),
    tier: text as unknown as z.ZodType<CodeVerdict['tier']>,
    cpuMs: real,
    wallMs: real,
  }).optional(),
};

export const credit: Fields<CreditDocument> = {
  ...identity,
  ...rolled,
  role,
  reward: real,
  baseline: real,
  advantage: real,
  group: text,
  groupSize: count,
};
