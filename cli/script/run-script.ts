/** `script run`: one execution of a script on one question, with everything it did shown and nothing stored. */
import { scriptSettings } from '../../activities/rollout/script-settings.ts';
import { toolCaller } from '../../activities/rollout/tool-calls.ts';
import { lazySandbox } from '../../activities/runtime/python/lazy-sandbox.ts';
import type { HostAnswer, HostCall, ScriptOutcome, ScriptRun } from '../../activities/runtime/script/contract.ts';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { DomainError } from '../../shared/errors.ts';
import type { PromptForm } from '../../shared/script/prompts.ts';
import type { Cli, CommandResult } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { readConfig } from '../settings.ts';
import { stubbedAnswers, withPolicyAnswers } from './answers.ts';
import type { Answers } from './answers.ts';
import { showPicture } from './picture.ts';
import type { PictureOptions } from './picture.ts';
import { scriptRules } from './rules.ts';
import type { RuleOptions, ScriptRules } from './rules.ts';
import { readScript } from './script-source.ts';

export interface RunRequest extends RuleOptions, PictureOptions {
  question: string;
  reply?: PromptForm;
  answers: string;
  policy?: string;
  seed: number;
  calls?: true;
}

interface SeenCall {
  call: HostCall;
  answer: HostAnswer | null;
}

export async function runScriptFile(cli: Cli, file: string, request: RunRequest): Promise<CommandResult> {
  const rules = await scriptRules(request);
  const isOwn = request.recipe === undefined && request.tools === undefined;
  const script = await readScript(file, request.reply);
  if (script === null) throw new DomainError('InvalidInput', `${file}: the reply holds no script`, { file });
  const { minTier, programs } = readConfig().python;
  const python = lazySandbox({ minTier, workers: programs });
  const tools = toolCaller(python.open);
  try {
    const { policy, seed, answers } = request;
    const { outcome, seen } =
      policy === undefined
        ? await executeOnce(cli, script, request, rules, stubbedAnswers(answers, tools))
        : await withPolicyAnswers(cli, policy, seed, tools, (own, recipe) =>
            // The policy's run knows what it was trained with, unless the command says otherwise.
            executeOnce(cli, script, request, isOwn ? scriptSettings(recipe) : rules, own),
          );
    return await shown(file, outcome, seen, request);
  } finally {
    await python.close();
  }
}

async function executeOnce(
  cli: Cli,
  script: string,
  { question, seed }: RunRequest,
  rules: ScriptRules,
  answers: Answers,
): Promise<{ outcome: ScriptOutcome; seen: SeenCall[] }> {
  const pool = createScriptPool({ threads: 1 });
  const seen: SeenCall[] = [];
  const perform: ScriptRun['perform'] = async (call, signal) => {
    const entry: SeenCall = { call, answer: null };
    seen.push(entry);
    return (entry.answer = await answers.perform(call, signal));
  };
  try {
    const run = { executionId: 'script run', script, question, seedKey: String(seed), signal: cli.signal };
    return { outcome: await pool.run({ ...run, ...rules, ...answers, perform }), seen };
  } finally {
    await pool.close();
  }
}

async function shown(
  file: string,
  outcome: ScriptOutcome,
  seen: SeenCall[],
  request: RunRequest,
): Promise<CommandResult> {
  const { reply, usage, error, structureTrace: trace } = outcome;
  const picture = await showPicture({ trace }, request);
  const calls = seen.map(({ call, answer }) => ({ ...call, answer }));
  const place = error === null || error.line === null ? file : `${file}:${error.line}:${error.column ?? 1}`;
  const lines = [
    outcome.outcome,
    ...(error === null ? [] : [`${place}: ${error.message}`]),
    ...(reply === null ? [] : [`answer  ${reply.answer ?? '(none found)'}`, `reply   ${indented(reply.text)}`]),
    `used    ${usage.calls} model calls, ${usage.toolCalls} tool calls, ${usage.promptTokens} prompt and ${usage.responseTokens} response tokens`,
    ...(picture.text === '' ? [] : ['', picture.text]),
    ...(request.calls === true ? seen.flatMap(callLines) : []),
  ];
  return {
    data: { outcome: outcome.outcome, problem: error, reply, usage, trace, calls, ...picture.data },
    text: lines.join('\n'),
    exitCode: outcome.outcome === 'replied' ? exitCodes.ok : exitCodes.failure,
  };
}

const indented = (text: string, by = '        ') => text.replaceAll('\n', `\n${by}`);

function callLines({ call, answer }: SeenCall): string[] {
  const asked =
    call.kind === 'tool'
      ? [`  input: ${indented(call.input, '    ')}`]
      : call.messages.map(({ role, content }) => `  ${role}: ${indented(content, '    ')}`);
  const said = answer === null ? '(not answered)' : indented(answer.text, '    ');
  return ['', `call ${call.call}  ${call.agentName} (${call.nodePath})`, ...asked, `  reply: ${said}`];
}
