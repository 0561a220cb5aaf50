/**
 * Guest side: the agent, the only node that asks the model. With tools it is a loop: reply, tool output, reply, until a
 * reply asks for no tool or the turns are used up; the last turn is asked without tools. How requests become messages
 * is the host's matter.
 */
import { askModel, askTool } from './link.mjs';
import { readMemory } from './memory.mjs';
import { Node, readInput } from './node.mjs';
import { Reply, sumUsage } from './reply.mjs';

const defaultTurns = 4;

const shownAs = (reply) => ({ name: reply.name, text: reply.text });

function requestOf(options, context, work, turns, last) {
  return {
    part: context.part,
    prompt: options.prompt ?? '',
    task: work.task,
    shown: work.shown.map(shownAs),
    draft: context.draft === null ? null : context.draft.text,
    critique: context.critique === null ? null : context.critique.text,
    routes: context.routes,
    memory: readMemory(options.memory),
    tools: last ? [] : (options.tools ?? []),
    turns,
    last,
  };
}

function replyOf(answer, name, path, usage, detail) {
  const bad = answer.status === 'failed';
  const fields = {
    text: bad ? '' : answer.text,
    answer: bad ? null : answer.answer,
    status: answer.status,
    name,
    usage,
    error: bad ? answer.text : null,
    detail,
  };
  return new Reply(fields, answer.call, answer.group, path);
}

async function work(options, name, context) {
  const { path } = context;
  const input = await readInput(options.input, context.task, context.shown);
  const materials = [...input.shown, context.draft, context.critique].filter((reply) => reply !== null);
  const from = materials.map((reply) => Reply.pathOf(reply));
  const most = (options.tools ?? []).length === 0 ? 1 : (options.maxTurns ?? defaultTurns);
  const turns = [];
  const spent = [];
  for (let turn = 1; ; turn += 1) {
    const last = turn === most && turns.length > 0;
    const answer = await askModel(path, name, from, requestOf(options, context, input, turns, last));
    const { promptTokens, responseTokens } = answer;
    spent.push({ calls: 1, promptTokens, responseTokens, toolCalls: 0 });
    if (answer.tool === null || turn >= most) {
      return replyOf(answer, name, path, sumUsage(spent), turns.length === 0 ? null : { turns: turn });
    }
    const output = await askTool(path, name, answer.tool.tool, answer.tool.input);
    spent.push(output.usage);
    turns.push({ text: answer.text, tool: answer.tool.tool, output: output.text, failed: output.status === 'failed' });
  }
}

export function buildAgent(options, name) {
  return new Node('agent', name, (context) => work(options, name, context));
}
