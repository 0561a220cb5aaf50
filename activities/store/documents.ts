/**
 * What each collection holds. `_id`s are the paths of `shared/domain/ids.ts`; token ids and log-probs are packed
 * little-endian (int32, float32). Times are written once for the reader and steer nothing; those of a run and of its changes also
 * tell it from another one of its name.
 */
import type { Binary } from 'mongodb';
import type { StoredDType } from '../../shared/model/checkpoint/number-formats.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import type { LoraSpec } from '../../shared/model/lora.ts';
import type { Recipe } from '../../shared/config/recipe.ts';
import type { Decision } from '../../shared/domain/decision.ts';
import type { Learner, RunPlan } from '../../shared/domain/plan.ts';
import type { Question, Verdict } from '../../shared/domain/question.ts';
import type { ChatMessage, FinishReason, SamplingSettings } from '../../shared/domain/sampling.ts';
import type { ModelCost, Usage } from '../../shared/domain/usage.ts';
import type { Role } from '../../shared/domain/role.ts';
import type { Study } from '../../shared/config/study.ts';
import type { SearchPlan, SearchSettings } from '../../shared/domain/search-plan.ts';
import type { StudyPlan } from '../../shared/domain/study-plan.ts';
import type { StudyCell } from '../../shared/evaluation/study-table.ts';
import type { EvaluationSummary, QuestionRow } from '../../shared/evaluation/summary.ts';
import type { RewardTerm } from '../../shared/rl/reward.ts';
import type { AnsweringSystem } from '../../shared/systems/source.ts';
import type { Proposal } from '../../shared/systems/search.ts';
import type { Budget } from '../../shared/systems/system.ts';
import type { PromptForm } from '../../shared/script/prompts.ts';
import type { CodeVerdict } from '../runtime/python/judge-code.ts';
import type { JournalRecord } from '../runtime/script/contract.ts';
import type { DesignOutcome, ExecutionOutcome, ScriptProblem } from '../../shared/script/outcomes.ts';

/** Raised when a document's form changes; readers refuse a newer one by name. */
export const schemaVersion = 1;

interface Stored {
  _id: string;
  schemaVersion: number;
  createdAt: Date;
}

export type RunStatus = 'created' | 'running' | 'finished' | 'stopped' | 'failed';

export interface DatasetReference {
  digest: string;
  /** What the reader knows it by: file name or generator. */
  name: string;
  count: number;
}

export interface RunDocument extends Stored {
  recipe: Recipe;
  plan: RunPlan;
  status: RunStatus;
  /** Version of this program. */
  codeVersion: string;
  /** Machine and libraries where the run was created, by name. */
  environment?: Record<string, string>;
  datasets: { train: DatasetReference; heldOut: DatasetReference };
  /** Prompt texts in force, by name. */
  prompts: Record<string, string>;
  finishedAt?: Date;
  failure?: { name: string; message: string };
  /** Where it was forked from, and what was changed: `RUN@vN`, `path=value`. */
  forkedFrom?: { runId: string; version: number; set: string[] };
  /** Changes of the recipe at a resume, oldest first; each was in force from that version on (null: the beginning). */
  changes?: RecipeChange[];
  /** What people decided when an update's loss was not finite. */
  decisions?: {
    id: string;
    at: Date;
    about: string;
    failure: string;
    decision: Decision;
    /** What it was about was rolled back. */
    undone?: boolean;
  }[];
  /** When the store had lost writes: what, and which version the run went on from (null: the beginning). */
  rollbacks?: { at: Date; to: number | null; losses: string[] }[];
}

export interface RecipeChange {
  at: Date;
  fromVersion: number | null;
  codeVersion: string;
  fields: { path: string; before: unknown; after: unknown }[];
}

export interface DatasetDocument extends Stored {
  name: string;
  count: number;
  provenance: unknown;
}

/** `_id` is `DIGEST/index`. */
export interface QuestionDocument extends Stored {
  digest: string;
  index: number;
  question: Question;
}

/** What was sampled: the record that training reads; text is derived from it. */
export interface TrajectoryFields {
  policyVersion: number;
  /** `shared`, `designer` or `executor`: which weights of the version. */
  part: PolicyPart;
  seedKey: string;
  sampling: SamplingSettings;
  promptIds: Binary;
  tokenIds: Binary;
  logProbs: Binary;
  finishReason: FinishReason;
  promptTokens: number;
  responseTokens: number;
}

export interface DesignStructure {
  agents: number;
  /** The outermost node kind, e.g. `ensemble`; for pattern shares. */
  pattern: string;
}

export interface DesignDocument extends Stored, TrajectoryFields {
  runId: string;
  /** Iteration id or evaluation id. */
  batchId: string;
  rolloutId: string;
  design: number;
  question: string;
  /** `system`: a given script, for which no model was asked; its trajectory is empty. */
  writtenBy: 'designer' | 'system';
  reply: string;
  script: string | null;
  outcome: DesignOutcome;
  problem: ScriptProblem | null;
  structure: DesignStructure | null;
  /** Model calls against stubbed answers, by shape, up to the first shape that ended with a reply. */
  dryRun?: readonly { shape: string; outcome: ExecutionOutcome; calls: number }[];
}

export interface ExecutionDocument extends Stored {
  runId: string;
  batchId: string;
  rolloutId: string;
  designId: string;
  execution: number;
  question: string;
  outcome: ExecutionOutcome;
  problem: ScriptProblem | null;
  reply: { text: string; answer: string | null } | null;
  usage: Usage;
  /** Nodes and edges as they ran. */
  trace: unknown;
  policyVersion: number;
  /** Which attempt of which activity finished it. */
  attempt: string;
  /** Wall time of the attempt that finished. */
  durationMs: number;
  replayedCalls: number;
  promptForm: PromptForm;
}

/** The journal: one finished host call. */
export interface CallDocument extends Stored, Partial<TrajectoryFields> {
  runId: string;
  batchId: string;
  executionId: string;
  /** Which attempt of which activity performed it; tells work that was repeated from work that was not. */
  attempt: string;
  /** Order in which the script asked; stable across re-runs. */
  call: number;
  kind: 'model' | 'tool';
  hash: string;
  nodePath: string;
  agentName: string;
  /** What the agent was asked to be: `agent`, `critic`, `judge`...; null for tools. */
  agentPart: string | null;
  messages: readonly { role: string; content: string }[] | null;
  /** Tool calls: which one, and what it was given. */
  tool?: { name: string; input: string };
  /** What the script was told. */
  answer: JournalRecord['answer'];
}

/** A verifier's finding about one execution, kept apart so that it can be derived again. */
export interface VerdictDocument extends Stored {
  runId: string;
  batchId: string;
  rolloutId: string;
  verdict: Verdict | null;
  reward: number;
  terms: RewardTerm[];
  /** Sandbox tier for code questions. */
  tier: string | null;
  /** Code questions: how each test ended. */
  code?: CodeVerdict;
}

/** `_id` is the design id or the execution id. */
export interface CreditDocument extends Stored {
  runId: string;
  batchId: string;
  rolloutId: string;
  role: Role;
  reward: number;
  baseline: number;
  advantage: number;
  group: string;
  groupSize: number;
}

export interface IterationDocument extends Stored {
  runId: string;
  stage: number;
  iteration: number;
  learner: Learner;
  policyIn: number;
  policyOut: number;
  questions: string[];
  metrics: Record<string, number>;
  facts?: IterationFacts;
}

/** What an iteration sampled, counted once; for readers. */
export interface IterationFacts {
  startedAt: Date;
  /** From the iteration's start to its last verdict. */
  rolloutMs: number;
  /** Designs by outermost node; those that may not run under `invalid`. */
  patterns: Record<string, number>;
  /** Executions by how they ended. */
  outcomes: Record<string, number>;
  /** Response tokens. */
  designerTokens: number;
  executorTokens: number;
}

export interface StageDocument extends Stored {
  runId: string;
  stage: number;
  learner: Learner;
  iterations: number;
  policyIn: number;
  policyOut: number | null;
}

export type PolicyPart = 'shared' | Role;

export interface PolicyPartRecord {
  /** Version in which this part last changed; weights of two versions with the same number are the same. */
  changedIn: number;
  /** SHA-256 of the blobs: what training changes. Optimizer null: zero moments, or pruned. */
  weights: string;
  /** Where `weights` is an adapter: SHA-256 of the weights that it is put on. */
  base?: string;
  optimizer: string | null;
  optimizerStep: number;
}

/** What a policy keeps of the Hugging Face folder that it began with; an export writes it back. */
export interface FolderRecord {
  /** Small files, each a blob. */
  files: { name: string; digest: string }[];
  /** Digest of the folder's weights: a part that still has it can go back in the formats it came in. */
  weights: string;
  /** What the folder's tensors were stored as; the blob holds them as float32. */
  dtype: StoredDType;
  /** Tensors that were stored otherwise. */
  others: { name: string; dtype: StoredDType }[];
}

export interface PolicyDocument extends Stored {
  runId: string;
  version: number;
  parent: number | null;
  /** What made it: `initial`, `cold-start-2`, or the iteration's id. */
  madeBy: string;
  decoder: DecoderConfig;
  /** Present where every part is an adapter on a base. */
  lora?: LoraSpec;
  /** Digest of tokenizer.json (a blob too). */
  tokenizer: string;
  /** Absent for a policy that began with random weights. */
  folder?: FolderRecord;
  parts: Partial<Record<PolicyPart, PolicyPartRecord>>;
  metrics: Record<string, number>;
  /** True at stage ends: never pruned. */
  keep: boolean;
  /** Ids of the workflows that are measuring with it; while there is one, it is not pruned. */
  pins?: string[];
  /** Which blobs are gone. */
  pruned?: { weights?: true; optimizer?: true };
}

/** `_id` is the study's name. */
export interface StudyDocument extends Stored {
  study: Study;
  plan: StudyPlan;
  status: 'running' | 'finished';
  /** Empty until it is finished. */
  cells: StudyCell[];
  finishedAt?: Date;
}

/** A search with a frozen policy; `_id` is `RUN/search-NAME-DIGEST`. */
export interface SearchDocument extends Stored {
  runId: string;
  system: string;
  policyVersion: number;
  finds: SearchPlan['finds'];
  settings: SearchSettings;
  /** What one answer may cost. */
  budget: Budget | null;
  /** Of the text that asks for a better script. */
  promptVersion: number;
  /** What the store had lost, and how many rounds were left. */
  rollbacks?: { at: Date; rounds: number; loss: string }[];
}

/** A script that a search tried. */
export interface CandidateDocument extends Stored {
  runId: string;
  searchId: string;
  number: number;
  parent: number | null;
  origin: Proposal['type'];
  /** The policy's whole reply; the script itself where no model wrote it. */
  reply: string;
  script: string | null;
  refusal: string | null;
  /** Number of the candidate with the same script. */
  sameAs: number | null;
  /** Null until its answers are judged. */
  score: number | null;
  /** Of proposing it, and of its answers. */
  cost: ModelCost;
  answerCost: ModelCost;
}

/** Examples that a teacher gave, filtered by their verdicts; `_id` is the collecting run's. */
export interface SftSetDocument extends Stored {
  /** Whose designs, calls and verdicts it was made of. */
  batchId: string;
  teacher: { url: string; model: string };
  dataset: DatasetReference;
  promptForm: PromptForm;
  /** Prompt texts in force, by name. */
  prompts: Record<string, string>;
  /** Questions that were asked before a budget ended it, and of how many. */
  asked: number;
  questions: number;
  cost: ModelCost;
  examples: Record<Role, number>;
  /** What was left out, by reason. */
  leftOut: Record<string, number>;
}

/** `_id` is the set's and the digest of role, prompt and response. */
export interface SftExampleDocument extends Stored {
  setId: string;
  role: Role;
  question: string;
  /** Id of the design or call that it is. */
  source: string;
  messages: ChatMessage[];
  response: string;
}

/** A system under comparison as it answers; `_id` is `RUN/system-NAME`. */
export interface SystemDocument extends Stored, AnsweringSystem {
  runId: string;
  /** What finding it took, where it was searched for. */
  search?: ModelCost & { searchId: string; rounds: number };
}

export interface EvaluationDocument extends Stored {
  runId: string;
  name: string;
  /** Name in `shared/systems/registry.ts`, and what an answer may cost. */
  system: string;
  budget: Budget | null;
  policyVersion: number;
  dataset: DatasetReference;
  samples: number;
  questions: number;
  metrics: EvaluationSummary['metrics'];
  /** 95 % intervals of the scores among the metrics. */
  intervals: EvaluationSummary['intervals'];
  perQuestion: QuestionRow[];
}
