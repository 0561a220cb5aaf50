/**
 * What the pool and its threads say to each other, and how what comes out of an isolate is read. A guest is not trusted:
 * a script may have bent the JSON that its side writes, so every field is checked here before anything acts on it.
 */
import type { ApiBuilder } from '../../../shared/script/api.ts';
import type { ScriptLimits } from '../../../shared/script/limits.ts';
import {
  agentParts,
  type AgentPart,
  type ModelRequest,
  type ShownReply,
  type ToolTurn,
} from '../../../shared/script/prompts.ts';
import type { Json } from './contract.ts';

/** What the guest's `boot` gets. */
export interface GuestConfig {
  question: string;
  seed: readonly number[];
  limits: Pick<ScriptLimits, 'calls' | 'toolCalls' | 'totalTokens'>;
  tools: readonly string[];
  knownTools: readonly string[];
  builders: readonly ApiBuilder[];
  largestCount: number;
}

export interface StartMessage {
  type: 'start';
  id: number;
  script: string;
  config: GuestConfig;
  limits: ScriptLimits;
}
export type ToThread = StartMessage | { type: 'settle'; id: number; json: string } | { type: 'drop'; id: number };

export type LimitOutcome =
  'call-limit' | 'tool-call-limit' | 'pending-call-limit' | 'request-length-limit' | 'cpu-limit' | 'memory-limit';

/** What one stretch of running left: requests in order, then how the stretch ended. */
export type StretchEnd =
  | { type: 'idle' }
  | { type: 'done'; json: string }
  | { type: 'threw'; json: string }
  | { type: 'limit'; limit: LimitOutcome; message: string }
  | { type: 'broken'; message: string }
  /** The instance could not be made: the machine's failure, not the script's. */
  | { type: 'unavailable'; message: string };

export interface FromThread {
  id: number;
  requests: readonly { type: 'model' | 'tool' | 'note'; json: string }[];
  end: StretchEnd;
  /** What the instance holds. */
  bytes: number;
}

/** Words of shared memory per thread: which script runs (id, 0 for none), entries and exits, the thread's own number. */
export const watchWords = { script: 0, beats: 1, thread: 2, count: 3 } as const;

/** A guest said something that the guest's own code never says. */
export class GuestNonsense extends Error {}

type Fields = Record<string, unknown>;

function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new GuestNonsense('expected an object');
  return value as Fields;
}
function text(value: unknown): string {
  if (typeof value !== 'string') throw new GuestNonsense('expected text');
  return value;
}
function whole(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new GuestNonsense('expected a whole number');
  return value as number;
}
function list<Item>(value: unknown, read: (item: unknown) => Item): Item[] {
  if (!Array.isArray(value)) throw new GuestNonsense('expected a list');
  return value.map(read);
}
const orNull = <Value>(value: unknown, read: (value: unknown) => Value) => (value === null ? null : read(value));

function parse(json: string): Fields {
  try {
    return fields(JSON.parse(json));
  } catch (error) {
    throw error instanceof GuestNonsense ? error : new GuestNonsense('expected JSON');
  }
}

export interface GuestModelCall {
  call: number;
  path: string;
  agent: string;
  from: string[];
  request: ModelRequest;
}

const shownReply = (value: unknown): ShownReply => ({ name: text(fields(value).name), text: text(fields(value).text) });
const toolTurn = (value: unknown): ToolTurn => {
  const turn = fields(value);
  return { text: text(turn.text), tool: text(turn.tool), output: text(turn.output), failed: turn.failed === true };
};

function modelRequest(value: unknown): ModelRequest {
  const request = fields(value);
  const part = agentParts.find((known) => known === request.part);
  if (part === undefined) throw new GuestNonsense('expected a known part');
  return {
    part: part satisfies AgentPart,
    prompt: text(request.prompt),
    task: text(request.task),
    shown: list(request.shown, shownReply),
    draft: orNull(request.draft, text),
    critique: orNull(request.critique, text),
    routes: list(request.routes, text),
    memory: list(request.memory, (pair) => {
      const [key, note] = list(pair, text);
      return [key ?? '', note ?? ''] as const;
    }),
    tools: list(request.tools, text),
    turns: list(request.turns, toolTurn),
    last: request.last === true,
  };
}

export function readModelCall(json: string): GuestModelCall {
  const said = parse(json);
  return {
    call: whole(said.call),
    path: text(said.path),
    agent: text(said.agent),
    from: list(said.from, text),
    request: modelRequest(said.request),
  };
}

export function readToolCall(json: string) {
  const said = parse(json);
  return {
    call: whole(said.call),
    path: text(said.path),
    agent: text(said.agent),
    tool: text(said.tool),
    input: text(said.input),
  };
}

const deepestDetail = 8;

/** What a node decided, as it is stored: the guest's own names only, and no deeper than it ever writes. */
function detailOf(value: unknown, depth = 0): Json {
  if (depth > deepestDetail) throw new GuestNonsense('expected less depth');
  if (Array.isArray(value)) return value.map((item) => detailOf(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value as Json;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (!/^\w+$/.test(key)) throw new GuestNonsense('expected a known name');
      return [key, detailOf(inner, depth + 1)];
    }),
  );
}

export function readNote(json: string) {
  const said = parse(json);
  const status = (['ok', 'length', 'failed'] as const).find((known) => known === said.status);
  if (status === undefined) throw new GuestNonsense('expected a known status');
  return {
    path: text(said.path),
    kind: text(said.kind),
    name: text(said.name),
    status,
    detail: detailOf(said.detail ?? null),
    error: orNull(said.error ?? null, text),
  };
}

/** The script's result as its side reports it; `call` is only a claim until the host finds it among its own calls. */
export function readResult(json: string) {
  const said = parse(json);
  if (said.kind === 'reply') {
    return { kind: 'reply' as const, call: orNull(said.call, whole), error: orNull(said.error ?? null, text) };
  }
  if (said.kind === 'authored') return { kind: 'authored' as const, text: text(said.text) };
  return { kind: said.kind === 'nothing' ? ('nothing' as const) : ('object' as const) };
}

export function readThrown(json: string) {
  const said = parse(json);
  return { message: text(said.message), name: text(said.name), stack: text(said.stack) };
}
