/**
 * Guest side: the reply, result of every node and tool. Frozen. Which host call its text came from is private, so a
 * script can pass replies on but never make one that stands for another call's text. Runs inside the isolate only.
 */

export function sumUsage(parts) {
  const total = { calls: 0, promptTokens: 0, responseTokens: 0, toolCalls: 0 };
  for (const part of parts) {
    total.calls += part.calls;
    total.promptTokens += part.promptTokens;
    total.responseTokens += part.responseTokens;
    total.toolCalls += part.toolCalls;
  }
  return Object.freeze(total);
}

export class Reply {
  #call;
  #group;
  #path;

  /** `call`: number of the host call behind the text, or null. `group`: what votes are counted by, or null. */
  constructor(fields, call, group, path) {
    this.text = fields.text;
    this.answer = fields.answer;
    this.status = fields.status;
    this.name = fields.name;
    this.usage = fields.usage;
    this.error = fields.error;
    this.detail = fields.detail;
    this.#call = call;
    this.#group = group;
    this.#path = path;
    Object.freeze(this);
  }

  toString() {
    return this.text;
  }

  static is(value) {
    return typeof value === 'object' && value !== null && #call in value;
  }
  static callOf(reply) {
    return reply.#call;
  }
  static groupOf(reply) {
    return reply.#group;
  }
  static pathOf(reply) {
    return reply.#path;
  }

  /** The same content as the result of another node: usage and detail are the node's. */
  static as(reply, { path, name, usage, detail }) {
    const fields = { ...reply, name, usage, detail };
    return new Reply(fields, reply.#call, reply.#group, path);
  }
  static failed({ path, name, usage, error, detail = null }) {
    return new Reply({ text: '', answer: null, status: 'failed', name, usage, error, detail }, null, null, path);
  }
}

export const failed = (reply) => reply.status === 'failed';
