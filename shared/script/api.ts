/**
 * The script language as one table: what exists, what each builder takes, what it means. The isolate checks calls
 * against it, the static checks know names and options by it, and the Designer's documentation is printed from it, so
 * the three cannot drift. Plain data; it is sent into the isolate as JSON.
 */

/** `node` also takes a string (an agent with that prompt), a reply, a promise of a reply, or a function giving one. */
export type OptionType =
  | 'string'
  | 'node'
  | 'nodes'
  | 'input'
  | 'names'
  | 'memory'
  | 'count'
  | 'strategy'
  | 'weights'
  | 'routes'
  | 'chooser'
  | 'condition'
  | 'default';

export interface ApiOption {
  name: string;
  type: OptionType;
  required: boolean;
  doc: string;
}

export interface ApiBuilder {
  name: string;
  /** Option that a plain first argument stands for: `agent('x')` is `agent({ prompt: 'x' })`. */
  shorthand: string | null;
  /** Option that a plain second argument stands for. */
  second: string | null;
  /** TypeScript-like signature, for the reader. */
  signature: string;
  doc: string;
  options: readonly ApiOption[];
}

const option = (name: string, type: OptionType, doc: string): ApiOption => ({ name, type, required: false, doc });
const required = (name: string, type: OptionType, doc: string): ApiOption => ({ name, type, required: true, doc });

export const apiBuilders: readonly ApiBuilder[] = [
  {
    name: 'agent',
    shorthand: 'prompt',
    second: 'input',
    signature: 'agent({ prompt?, name?, tools?, memory?, maxTurns?, input? })',
    doc: 'one call of the model (several when it uses tools)',
    options: [
      option('prompt', 'string', 'system prompt: who the agent is and how it should work'),
      option('name', 'string', 'name shown to other agents'),
      option('tools', 'names', 'names of tools it may use'),
      option('memory', 'memory', 'true, or the memory keys it sees'),
      option('maxTurns', 'count', 'model calls at most when it has tools; 4 unless told'),
      option('input', 'input', 'a string works on that instead of the question; replies are shown beside the question'),
    ],
  },
  {
    name: 'ensemble',
    shorthand: 'members',
    second: 'copies',
    signature: "ensemble({ members, copies?, strategy?: 'majority' | 'weighted' | 'consensus', weights?, judge? })",
    doc: 'all members work at the same time; equal answers are grouped and the largest group wins (ties: first seen)',
    options: [
      required('members', 'nodes', 'one node or a list'),
      option('copies', 'count', 'how often each member is run; 1 unless told'),
      option('strategy', 'strategy', 'majority (unless told), weighted, or consensus: a judge writes the result'),
      option('weights', 'weights', 'one number for each member, in their order, or by name'),
      option('judge', 'node', 'decides a tied vote; writes the result of a consensus'),
    ],
  },
  {
    name: 'debate',
    shorthand: 'debaters',
    second: 'rounds',
    signature: 'debate({ debaters, rounds?, judge? })',
    doc: 'everyone answers, then answers again after seeing all replies; the judge, or a majority vote, decides',
    options: [
      required('debaters', 'nodes', 'at least two nodes'),
      option('rounds', 'count', 'rounds of answers; 2 unless told'),
      option('judge', 'node', 'sees the last round and writes the result; a majority vote unless given'),
    ],
  },
  {
    name: 'reflect',
    shorthand: 'agent',
    second: 'rounds',
    signature: 'reflect({ agent, critic?, rounds? })',
    doc: 'the agent drafts, the critic replies ACCEPT or REVISE, the agent revises; ends on ACCEPT or on no change',
    options: [
      required('agent', 'node', 'writes and revises the draft'),
      option('critic', 'node', 'reviews it; a plain critic unless given'),
      option('rounds', 'count', 'reviews at most; 2 unless told'),
    ],
  },
  {
    name: 'route',
    shorthand: null,
    second: null,
    signature: 'route({ routes: { name: node }, by, default })',
    doc: 'one route is chosen by a model or by a function and works on the task',
    options: [
      required('routes', 'routes', 'object of nodes by name'),
      required('by', 'chooser', 'function (task) => name, or a node that is asked to name a route'),
      required('default', 'default', 'name of the route taken when no route is named'),
    ],
  },
  {
    name: 'sequence',
    shorthand: 'steps',
    second: null,
    signature: 'sequence([step, step, ...])',
    doc: 'each step sees the question and the reply of the step before; the last reply is the result',
    options: [required('steps', 'nodes', 'nodes in order')],
  },
  {
    name: 'loop',
    shorthand: 'body',
    second: 'max',
    signature: 'loop({ body, until?, max? })',
    doc: 'repeats the body, which sees its last reply, until the condition holds',
    options: [
      required('body', 'node', 'a node, or a function (reply, turn) => node'),
      option('until', 'condition', 'function (reply, turn) => true to stop, or a critic node that stops on ACCEPT'),
      option('max', 'count', 'turns at most; 3 unless told'),
    ],
  },
];

/** Names beside the builders, with the members a static check may know. */
export const apiObjects = [
  { name: 'question', signature: 'question: string', doc: 'the question, as text' },
  {
    name: 'memory',
    signature: 'memory.get(key), memory.set(key, text), memory.append(key, text), memory.keys()',
    doc: 'notes of this execution; agents see the keys that their `memory` option names',
  },
  {
    name: 'tools',
    signature: 'await tools.calculator(expression), await tools.python(program)',
    doc: 'tools that this design may use; each gives a reply',
  },
  {
    name: 'budget',
    signature: 'budget.calls, budget.toolCalls, budget.tokens',
    doc: 'what is left, as numbers',
  },
] as const;

/** Fields of a reply, the result of every node and tool. */
export const apiReplyFields = [
  { name: 'text', doc: 'the whole reply, a string' },
  { name: 'answer', doc: 'the final answer found in it, a string, or null' },
  { name: 'status', doc: "'ok', 'length' (cut off) or 'failed'" },
  { name: 'name', doc: 'who gave it' },
  { name: 'usage', doc: '{ calls, promptTokens, responseTokens, toolCalls } of the node and all in it' },
  { name: 'error', doc: 'why it failed, or null' },
  { name: 'detail', doc: 'what a node decided: votes, verdict, route, rounds' },
] as const;

/** Largest number that an option of type `count` takes. */
export const largestCount = 100;

/** Tools that exist; which of them a design may use is the run's choice. */
export const knownTools = ['python', 'calculator'] as const;
