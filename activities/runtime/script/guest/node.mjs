/**
 * Guest side: nodes. A node is lazy (building it costs nothing), thenable (awaiting it runs it once on the question) and
 * a recipe (inside another node, or by `run(input)`, it runs afresh on what it is given). Knows no kind of node.
 *
 * A context says what a run works on: `task` (text), `shown` (replies to take into account), `part` (what its agents
 * are asked to be), `draft`, `critique`, `routes`, and `path`, its place in the design.
 */
import { note } from './link.mjs';
import { Reply, sumUsage } from './reply.mjs';

const started = {};
let questionText = '';

export function setQuestion(text) {
  questionText = text;
}

export function describe(value) {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 40 ? value.slice(0, 40) + '...' : value)}`;
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${value}`;
  return typeof value === 'object' ? 'an object' : typeof value;
}

export const isThenable = (value) =>
  value !== null && (typeof value === 'object' || typeof value === 'function') && typeof value.then === 'function';

/** The next path of a node that the script itself runs: `debate-1`, `debate-2`, ... */
export function topPath(kind) {
  started[kind] = (started[kind] ?? 0) + 1;
  return `${kind}-${started[kind]}`;
}

/** Splits an input (text, replies, nodes, promises of them, or a list) into a task and replies to show. */
export async function readInput(input, task, shown) {
  if (input === undefined || input === null) return { task, shown };
  const texts = [];
  const replies = [];
  for (const item of Array.isArray(input) ? input : [input]) {
    const value = isThenable(item) ? await item : item;
    if (Reply.is(value)) replies.push(value);
    else if (typeof value === 'string') texts.push(value);
    else throw new TypeError(`an input is text or a reply; got ${describe(value)}`);
  }
  return { task: texts.length === 0 ? task : texts.join('\n'), shown: [...shown, ...replies] };
}

export class Node {
  #kind;
  #name;
  #work;
  #first;

  /** `work(context)` gives a reply. */
  constructor(kind, name, work) {
    this.#kind = kind;
    this.#name = name;
    this.#work = work;
    this.#first = null;
    Object.freeze(this);
  }

  get name() {
    return this.#name;
  }
  then(onReply, onError) {
    this.#first ??= this.run();
    return this.#first.then(onReply, onError);
  }
  catch(onError) {
    return this.then(undefined, onError);
  }
  finally(onEnd) {
    this.#first ??= this.run();
    return this.#first.finally(onEnd);
  }
  /** Runs the node afresh: on the question, or on a text, or on the question with replies shown. */
  async run(input) {
    const path = topPath(this.#kind);
    const { task, shown } = await readInput(input, questionText, []);
    return Node.execute(this, { task, shown, part: 'agent', draft: null, critique: null, routes: [], path });
  }
  toString() {
    throw new TypeError(`the ${this.#kind} has not run: await it before using it as text`);
  }

  static is(value) {
    return typeof value === 'object' && value !== null && #work in value;
  }
  static async execute(node, context) {
    const reply = await node.#work(context);
    note(context.path, node.#kind, reply);
    return reply;
  }
}

const notAReply = (value) => new TypeError(`expected a node or a reply; got ${describe(value)}`);

/** Runs a recipe (node, reply, promise of a reply, or function giving one) in a context. */
export async function runRecipe(recipe, context, previous = null, turn = 1) {
  const value = typeof recipe === 'function' ? recipe(previous, turn) : recipe;
  if (Node.is(value)) return Node.execute(value, context);
  const settled = await value;
  if (Reply.is(settled)) return settled;
  throw notAReply(settled);
}

/** The same, where a failure must not reach the neighbours: an exception becomes a failed reply. */
export async function runMember(recipe, context, name) {
  try {
    return await runRecipe(recipe, context);
  } catch (error) {
    const message = String(error?.message ?? error);
    return Reply.failed({ path: context.path, name, usage: sumUsage([]), error: message });
  }
}

export const within = (context, segment, changes = {}) => ({
  ...context,
  ...changes,
  path: `${context.path}/${segment}`,
});

/** Parts whose reply must keep its typed form (a verdict, a route) wherever the node is nested. */
export const keepsPart = (context) => context.part === 'critic' || context.part === 'router';
