/**
 * From a guest's request to a host call, and from a host's answer to what the guest is told: messages, the hash that the
 * journal is matched by, the typed answer (a verdict, a route, or the extracted answer), the tool request in a reply.
 */
import { createHash } from 'node:crypto';
import { composeMessages, type PromptForm } from '../../../shared/script/prompts.ts';
import { readRoute, readToolRequest, readVerdict } from '../../../shared/script/replies.ts';
import type { ScriptLimits } from '../../../shared/script/limits.ts';
import type { HostAnswer, HostCall, JournalRecord } from './contract.ts';
import { readModelCall, readToolCall } from './messages.ts';

/** 64 bits are plenty to tell the calls of one execution apart. */
const hashOf = (content: unknown) => createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);

export interface AskedCall {
  host: HostCall;
  routes: readonly string[];
  tools: readonly string[];
}

export function modelCall(json: string, form: PromptForm, limits: ScriptLimits): AskedCall {
  const { call, path, agent, from, request } = readModelCall(json);
  const messages = composeMessages(request, form);
  const host: HostCall = {
    kind: 'model',
    call,
    hash: hashOf(['model', agent, request.part, messages]),
    nodePath: path,
    agentName: agent,
    from,
    part: request.part,
    turn: request.turns.length,
    messages,
    maxPromptTokens: limits.promptTokensPerCall,
    maxResponseTokens: limits.responseTokensPerCall,
  };
  return { host, routes: request.routes, tools: request.tools };
}

export function toolCall(json: string): AskedCall {
  const { call, path, agent, tool, input } = readToolCall(json);
  const hash = hashOf(['tool', agent, tool, input]);
  const host: HostCall = { kind: 'tool', call, hash, nodePath: path, agentName: agent, from: [], tool, input };
  return { host, routes: [], tools: [] };
}

/** The answer with its typed value: what a verifier, a vote, a reflection or a route goes by. */
export function typedAnswer(
  asked: AskedCall,
  answer: HostAnswer,
  extractAnswer: (text: string) => string | null,
): JournalRecord['answer'] {
  if (answer.status === 'failed' || answer.status === 'prompt-too-long') return { ...answer, answer: null };
  const part = asked.host.kind === 'model' ? asked.host.part : 'agent';
  if (part === 'critic') return { ...answer, answer: readVerdict(answer.text) };
  if (part === 'router') return { ...answer, answer: readRoute(answer.text, asked.routes) };
  return { ...answer, answer: answer.answer === undefined ? extractAnswer(answer.text) : answer.answer };
}

export const requestedTool = (asked: AskedCall, answer: HostAnswer, form: PromptForm) =>
  answer.status === 'failed' ? null : readToolRequest(answer.text, asked.tools, form);

/** Numbers the groups of equal answers in the order in which the script saw them. */
export class AnswerGroups {
  private readonly firsts: string[] = [];
  private readonly equal: (left: string, right: string) => boolean;

  constructor(equal: (left: string, right: string) => boolean) {
    this.equal = equal;
  }

  groupOf(answer: string): number {
    const known = this.firsts.findIndex((first) => first === answer || this.equal(first, answer));
    return known >= 0 ? known : this.firsts.push(answer) - 1;
  }
}
