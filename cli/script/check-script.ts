/** `script check`: what training would say about a design's script before it costs a model call. */
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { checkScript } from '../../shared/script/check.ts';
import type { DesignProblem } from '../../shared/script/check.ts';
import { judgeDryRun } from '../../shared/script/dry-verdict.ts';
import type { PromptForm } from '../../shared/script/prompts.ts';
import type { CommandResult } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { showPicture } from './picture.ts';
import type { PictureOptions } from './picture.ts';
import { scriptRules } from './rules.ts';
import type { RuleOptions, ScriptRules } from './rules.ts';
import { readScript } from './script-source.ts';

export interface CheckRequest extends RuleOptions, PictureOptions {
  dryRun: boolean;
  reply?: PromptForm;
}

interface DryShape {
  shape: string;
  outcome: string;
  calls: number;
  toolCalls: number;
}

export async function checkScriptFile(file: string, request: CheckRequest): Promise<CommandResult> {
  const rules = await scriptRules(request);
  const script = await readScript(file, request.reply);
  if (script === null) return refused(file, [], 'no-script', 'the reply holds no script');
  const checked = checkScript(script, { limits: rules.limits, tools: rules.grantedTools });
  const [first] = checked.problems;
  if (first !== undefined) return refused(file, checked.problems, first.outcome, null);
  const tried = request.dryRun ? await tryRun(script, rules) : { problem: null, shapes: [] };
  if (tried.problem !== null) return refused(file, [tried.problem], tried.problem.outcome, null, tried.shapes);
  const { structure } = checked;
  const picture = structure === null ? null : await showPicture({ structure }, request);
  const data = { outcome: 'valid', problems: [], structure, dryRun: tried.shapes, script, ...picture?.data };
  const text = [
    `valid${request.dryRun ? '' : ' (not run)'}`,
    ...(tried.shapes.length === 0 ? [] : ['', ...tried.shapes.map(shapeLine)]),
    ...(picture === null || picture.text === '' ? [] : ['', picture.text]),
  ];
  return { data, text: text.join('\n') };
}

async function tryRun(
  script: string,
  rules: ScriptRules,
): Promise<{ problem: DesignProblem | null; shapes: DryShape[] }> {
  const pool = createScriptPool({ threads: 1 });
  try {
    const { shapes } = await pool.dryRun({ script, question: 'What is 2 + 2?', ...rules });
    const problem = judgeDryRun(
      shapes.map(({ shape, outcome }) => ({ shape, outcome: outcome.outcome, error: outcome.error })),
    );
    const counted = shapes.map(({ shape, outcome: { outcome, usage } }) => {
      return { shape, outcome, calls: usage.calls, toolCalls: usage.toolCalls };
    });
    return { problem, shapes: counted };
  } finally {
    await pool.close();
  }
}

const shapeLine = ({ shape, outcome, calls, toolCalls }: DryShape) =>
  `with ${shape} answers: ${calls} model call${calls === 1 ? '' : 's'}${toolCalls === 0 ? '' : `, ${toolCalls} of tools`}, ${outcome}`;

function refused(
  file: string,
  problems: readonly DesignProblem[],
  outcome: string,
  why: string | null,
  dryRun: readonly DryShape[] = [],
): CommandResult {
  const lines = problems.map(({ line, column, message, outcome: name }) => {
    const place = line === null ? file : `${file}:${line}:${column ?? 1}`;
    return `${place}: ${message} (${name})`;
  });
  return {
    data: { outcome, problems, dryRun },
    text: [`refused: ${outcome}`, ...lines, ...(why === null ? [] : [why])].join('\n'),
    exitCode: exitCodes.failure,
  };
}
