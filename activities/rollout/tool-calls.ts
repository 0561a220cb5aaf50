/**
 * The tools that a run may grant to its designs. What goes wrong with a request is an answer of status `failed`, told to
 * who asked; a sandbox that cannot be had is thrown, for it says nothing about the design.
 */
import { DomainError } from '../../shared/errors.ts';
import type { knownTools } from '../../shared/script/api.ts';
import { calculate, valueText } from '../../shared/verify/calculator/calculate.ts';
import { CalculatorError } from '../../shared/verify/calculator/operations.ts';
import type { PythonSandbox } from '../runtime/python/contract.ts';
import { runPythonTool } from '../runtime/python/tool.ts';
import type { HostAnswer, ToolCall } from '../runtime/script/contract.ts';

type ToolName = (typeof knownTools)[number];
type Tool = (input: string, signal: AbortSignal) => Promise<HostAnswer>;

const answered = (text: string, more: Partial<HostAnswer> = {}): HostAnswer => ({
  text,
  promptTokens: 0,
  responseTokens: 0,
  status: 'ok',
  ...more,
});

async function calculator(input: string): Promise<HostAnswer> {
  try {
    const value = valueText(calculate(input));
    return answered(value, { answer: value });
  } catch (error) {
    if (error instanceof CalculatorError) return answered(error.message, { status: 'failed' });
    throw error;
  }
}

/** The last line that was printed stands for the answer. */
function python(open: () => Promise<PythonSandbox>): Tool {
  return async (input, signal) => {
    const sandbox = await open();
    const { status, stdout, error } = await runPythonTool(sandbox, input, {}, signal);
    const printed = stdout.trimEnd();
    const data = { tier: sandbox.tier, status };
    if (status === 'ok') {
      const last = printed.split('\n').at(-1)!.trim();
      return answered(printed === '' ? '(nothing was printed)' : printed, { answer: last === '' ? null : last, data });
    }
    const reason = `${status}: ${error ?? 'no reason given'}`;
    return answered(printed === '' ? reason : `${printed}\n${reason}`, { status: 'failed', data });
  };
}

/** Answers tool calls. `open` throws `SandboxUnavailable` where there is no Python sandbox. */
export function toolCaller(
  open: () => Promise<PythonSandbox>,
): (call: ToolCall, signal: AbortSignal) => Promise<HostAnswer> {
  const tools: Readonly<Record<ToolName, Tool>> = { calculator, python: python(open) };
  return ({ tool, input }, signal) => {
    const known = (Object.keys(tools) as ToolName[]).find((name) => name === tool);
    if (known === undefined) throw new DomainError('InvalidConfig', `there is no tool '${tool}'`, { tool });
    return tools[known](input, signal);
  };
}
