/**
 * Guest side: requests to the host and their answers, as JSON strings only. `send` is the one host function; it is held
 * here and never reaches a script. Counts what is used, for `budget`.
 */
import { Reply } from './reply.mjs';

const { parse, stringify } = JSON;
const waiting = new Map();
const used = { calls: 0, toolCalls: 0, tokens: 0 };
let send;
let requests = 0;

export function openLink(hostSend) {
  send = hostSend;
}

export const usedSoFar = used;

function ask(type, request) {
  const call = requests;
  requests += 1;
  send(type, stringify({ call, ...request }));
  return new Promise((resolve) => {
    waiting.set(call, resolve);
  });
}

/** One model request; resolves with the host's answer `{ call, text, answer, group, status, tool, ... }`. */
export function askModel(path, agent, from, request) {
  used.calls += 1;
  return ask('model', { path, agent, from, request });
}

export async function askTool(path, agent, tool, input) {
  used.toolCalls += 1;
  const answer = await ask('tool', { path, agent, tool, input });
  const usage = { calls: 0, promptTokens: 0, responseTokens: 0, toolCalls: 1 };
  const bad = answer.status === 'failed';
  const fields = {
    text: answer.text,
    answer: answer.answer,
    status: answer.status,
    name: tool,
    usage: Object.freeze(usage),
    error: bad ? answer.text : null,
    detail: null,
  };
  return new Reply(fields, answer.call, answer.group, path);
}

/** Tells the host what a node did; nothing is answered. */
export function note(path, kind, reply) {
  const { name, status, detail, error } = reply;
  send('note', stringify({ path, kind, name, status, detail, error }));
}

/** An answer from the host. */
export function settle(json) {
  const answer = parse(json);
  const resolve = waiting.get(answer.call);
  waiting.delete(answer.call);
  used.tokens += answer.promptTokens + answer.responseTokens;
  resolve(answer);
}

/** The end of the script: `type` is `done` or `threw`. */
export function finish(type, value) {
  send(type, stringify(value));
}
