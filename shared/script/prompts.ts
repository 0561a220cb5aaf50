/**
 * What an agent's model sees: the composition of system and user messages from what a node passes on. One place for both
 * forms. `terse` is for trained policies (a word or two around the material); `documented` explains each part to an
 * untrained instruction-tuned model. Neutral to benchmarks: nothing here hints at a data set or at an answer's range.
 * Knows no node semantics: the runtime decides who is asked and what is shown.
 */
import type { ChatMessage } from '../domain/sampling.ts';

/** How much the prompts explain: `terse` for trained policies, `documented` for untrained instruction-tuned models. */
export type PromptForm = 'terse' | 'documented';

/** What the agent is asked to be in one request. */
export const agentParts = ['agent', 'debater', 'critic', 'reviser', 'judge', 'router'] as const;
export type AgentPart = (typeof agentParts)[number];

export interface ShownReply {
  name: string;
  text: string;
}

export interface ToolTurn {
  /** The agent's own reply that held the request. */
  text: string;
  tool: string;
  output: string;
  failed: boolean;
}

/** The material of one model request, before it is put into messages. */
export interface ModelRequest {
  part: AgentPart;
  /** The Designer's system prompt; empty takes the part's own. */
  prompt: string;
  /** The question, or what the script passed in its place. */
  task: string;
  /** Replies of other agents to take into account. */
  shown: readonly ShownReply[];
  draft: string | null;
  critique: string | null;
  /** Names a router may choose. */
  routes: readonly string[];
  memory: readonly (readonly [key: string, value: string])[];
  tools: readonly string[];
  turns: readonly ToolTurn[];
  /** The tool loop is over: the agent must answer now. */
  last: boolean;
}

/** Bump on every change of any text in this file; stored with the run. */
export const rolePromptVersion = 1;

const answerRule =
  'Where you give a final answer, write it at the end on a line of its own, as "Answer: ...". ' +
  'If the task asks for a program, end with the complete program in one fenced code block instead.';

const systemPrompts: Record<AgentPart, string> = {
  agent: 'You solve the task you are given. Reason step by step and check your work.',
  debater:
    'You take part in a discussion. Weigh the other replies on their merits, and change your mind only for a reason.',
  critic: 'You review a draft. Look for errors in its reasoning and in its result; say exactly what is wrong.',
  reviser: 'You improve your draft with the help of a review. Correct what is wrong and keep what is right.',
  judge: 'You compare several replies to one task and give the best final answer, correcting it where needed.',
  router: 'You decide who should work on a task.',
};

const toolNotes: Record<string, string> = {
  python: 'runs a Python 3 program and returns what it prints',
  calculator: 'evaluates one arithmetic expression',
};

const section = (title: string, body: string) => `${title}:\n${body.trim()}`;

function documentedSystem(request: ModelRequest): string {
  const parts = [request.prompt.trim() === '' ? systemPrompts[request.part] : request.prompt.trim()];
  if (request.part === 'critic') {
    parts.push(
      'Finish with one line, "VERDICT: ACCEPT" if nothing needs to change, or "VERDICT: REVISE" if something does.',
    );
  } else if (request.part === 'router') {
    parts.push(`Reply with one line, "ROUTE: name", where name is one of: ${request.routes.join(', ')}.`);
  } else {
    parts.push(answerRule);
  }
  if (request.tools.length > 0) {
    const list = request.tools.map((tool) => `- ${tool}${toolNotes[tool] === undefined ? '' : `: ${toolNotes[tool]}`}`);
    parts.push(
      `You may use tools:\n${list.join('\n')}\nTo use one, end your reply with a fenced block that names it, for example\n` +
        `\`\`\`run:${request.tools[0]!}\n...\n\`\`\`\nand wait for its output. Without such a block your reply is final.`,
    );
  }
  return parts.join('\n\n');
}

function documentedUser(request: ModelRequest): string {
  const parts = [section('Task', request.task)];
  for (const [key, value] of request.memory) parts.push(section(`Note "${key}"`, value));
  request.shown.forEach((reply, index) => parts.push(section(`Reply ${index + 1} (${reply.name})`, reply.text)));
  if (request.draft !== null)
    parts.push(section(request.part === 'critic' ? 'Draft to review' : 'Your draft', request.draft));
  if (request.critique !== null) parts.push(section('Review', request.critique));
  if (request.part === 'reviser') parts.push('Write the improved reply in full.');
  if (request.part === 'debater' && request.shown.length > 0)
    parts.push('Write your reply again in full, improved where the others are right.');
  if (request.part === 'judge') parts.push('Give the final reply to the task.');
  return parts.join('\n\n');
}

/** One word in front of the material tells a trained policy its part. */
const terseWords: Record<AgentPart, string> = {
  agent: '',
  debater: '',
  critic: 'check',
  reviser: 'fix',
  judge: 'judge',
  router: 'route',
};

function terseUser(request: ModelRequest): string {
  const word = terseWords[request.part];
  const head = request.part === 'router' ? `${word} ${request.routes.join('|')}` : word;
  const lines = head === '' ? [request.task] : [head, request.task];
  for (const [key, value] of request.memory) lines.push(`${key}: ${value}`);
  for (const reply of request.shown) lines.push(`- ${reply.text}`);
  if (request.draft !== null) lines.push(request.draft);
  if (request.critique !== null) lines.push(request.critique);
  return lines.join('\n');
}

/** The messages of one request: a system message (left out when empty), the user's, then the turns of a tool loop. */
export function composeMessages(request: ModelRequest, form: PromptForm): ChatMessage[] {
  const terse = form === 'terse';
  const system = terse ? request.prompt.trim() : documentedSystem(request);
  const messages: ChatMessage[] = system === '' ? [] : [{ role: 'system', content: system }];
  messages.push({ role: 'user', content: terse ? terseUser(request) : documentedUser(request) });
  request.turns.forEach((turn, index) => {
    messages.push({ role: 'assistant', content: turn.text });
    const output = terse
      ? `${turn.failed ? '!' : '='} ${turn.output}`
      : section(turn.failed ? `The tool ${turn.tool} failed` : `Output of ${turn.tool}`, turn.output);
    const now =
      request.last && index === request.turns.length - 1
        ? terse
          ? '\nanswer'
          : '\n\nGive your final answer now, without tools.'
        : '';
    messages.push({ role: 'user', content: output + now });
  });
  return messages;
}
