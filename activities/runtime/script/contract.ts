/**
 * What the script runtime asks of its caller and gives back. The caller owns model calls, tools and the store; the
 * runtime owns the isolates, the journal's order and every limit. Nothing here knows Temporal, MongoDB or a model.
 *
 * Journal: `record` is called once for every finished call and must be durable when it resolves; only then does the
 * script see the answer. A retry passes the stored records back, in any order: none is asked again.
 * An error thrown by `perform` or `record` rejects `run` unchanged: infrastructure is never an outcome.
 */
import type { ChatMessage } from '../../../shared/domain/sampling.ts';
import type { Usage } from '../../../shared/domain/usage.ts';
import type { ScriptLimits } from '../../../shared/script/limits.ts';
import type { ExecutionOutcome, ScriptProblem } from '../../../shared/script/outcomes.ts';
import type { PromptForm } from '../../../shared/script/prompts.ts';
import type { Json, StructureTrace } from '../../../shared/script/trace.ts';

/** Opaque to the runtime: ids of what the caller stored for a call. */
export type { Json } from '../../../shared/script/trace.ts';

interface CallBase {
  /** Position in the order in which the script asked, from 0; the same in every re-run. */
  call: number;
  /** 16 hex digits over kind, agent and content; what the journal is matched by. */
  hash: string;
  /** Where in the design, e.g. `ensemble-1/member-2`. */
  nodePath: string;
  /** Name of the agent; of the script itself (`script`) for a tool that the script calls. */
  agentName: string;
  /** Node paths of the replies shown in this call: the data-flow edges as traced. */
  from: readonly string[];
}

/** One model request: a turn of one agent. */
export interface ModelCall extends CallBase {
  kind: 'model';
  /** What the agent is asked to be here. */
  part: 'agent' | 'debater' | 'critic' | 'reviser' | 'judge' | 'router';
  /** Turn of this agent's tool loop, from 0. */
  turn: number;
  messages: readonly ChatMessage[];
  maxPromptTokens: number;
  maxResponseTokens: number;
}

/** One tool request. `input` is the tool's single text argument. */
export interface ToolCall extends CallBase {
  kind: 'tool';
  tool: string;
  input: string;
}

export type HostCall = ModelCall | ToolCall;

export interface HostAnswer {
  text: string;
  /** The extracted answer; left out, the runtime asks `extractAnswer(text)`. */
  answer?: string | null;
  promptTokens: number;
  responseTokens: number;
  /**
   * `length`: cut at `maxResponseTokens`. `failed`: the tool or the model answered with an error, told in `text`.
   * `prompt-too-long`: more than `maxPromptTokens`; nothing was sampled, and the execution ends as `prompt-token-limit`.
   */
  status: 'ok' | 'length' | 'failed' | 'prompt-too-long';
  /** Stored with the record and given back in `ScriptOutcome.reply`, e.g. `{ callId }`. */
  data?: Json;
}

/** One finished call. Plain JSON; `call` is its only place: the order of answers follows from the answers. */
export interface JournalRecord {
  call: number;
  hash: string;
  kind: HostCall['kind'];
  nodePath: string;
  agentName: string;
  answer: HostAnswer & { answer: string | null };
}

export interface ScriptRun {
  /** For messages and logs only. */
  executionId: string;
  script: string;
  question: string;
  /** Key of the script's `Math.random`; give every execution its own. */
  seedKey: string;
  promptForm: PromptForm;
  limits?: Partial<ScriptLimits>;
  /** True accepts a string returned by the script as its reply. */
  allowAuthored?: boolean;
  /** Names of the tools that this design may use. */
  grantedTools?: readonly string[];
  /** Records of an earlier attempt, in any order. */
  journal?: readonly JournalRecord[];
  perform: (call: HostCall, signal: AbortSignal) => Promise<HostAnswer>;
  /** Resolves when the call is durable: with the answer that stands, where another attempt had recorded the call. */
  record?: (record: JournalRecord) => Promise<JournalRecord['answer'] | void>;
  /** The final answer in a reply's text, or null. Pure. */
  extractAnswer: (text: string) => string | null;
  /** The verifier's equality of two extracted answers. Pure. */
  answersEqual: (left: string, right: string) => boolean;
  /** Aborting rejects `run` with the signal's reason. */
  signal?: AbortSignal;
}

export type { StructureTrace, TracedCall, TracedNode } from '../../../shared/script/trace.ts';

export interface ScriptReply {
  text: string;
  answer: string | null;
  /** `call` of the record whose content this is; null when the script authored it. */
  call: number | null;
  /** `data` of that record. */
  data: Json;
}

export interface ScriptOutcome {
  outcome: ExecutionOutcome;
  /** The host's own record of the returned reply; null unless `replied` or `failed-reply`. */
  reply: ScriptReply | null;
  usage: Usage;
  /** Why it is not `replied`, with the place in the script where one is known. */
  error: ScriptProblem | null;
  structureTrace: StructureTrace;
  /** Calls answered from the journal; the others were performed. */
  replayedCalls: number;
}

/** A run with stubbed answers: one entry for every answer shape. */
export interface DryRunReport {
  shapes: readonly { shape: string; outcome: ScriptOutcome }[];
}

export type DryRunRequest = Pick<
  ScriptRun,
  'script' | 'question' | 'promptForm' | 'limits' | 'grantedTools' | 'allowAuthored' | 'signal'
>;

export interface ScriptPool {
  /** Resolves with an outcome; rejects on infrastructure failures and on abort only. */
  run(request: ScriptRun): Promise<ScriptOutcome>;
  /** Runs the script against stubbed answers of several shapes. Costs no model call. */
  dryRun(request: DryRunRequest): Promise<DryRunReport>;
  /** Ends the threads; runs in flight reject with `SandboxUnavailable`. */
  close(): Promise<void>;
}

export interface ScriptPoolOptions {
  /** Threads that host isolates; default 2. */
  threads?: number;
  /** Scripts alive at once in one thread; others wait their turn. Default 1,000. */
  scriptsPerThread?: number;
  /** Memory of all scripts together; when they hold more, the largest are run again later. Default 2 GiB. */
  memoryBytes?: number;
}
