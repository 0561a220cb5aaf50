/**
 * Is a Designer's reply a design that may run? Extraction, parse and static checks, then a dry run against stubbed
 * answers: the first answer shape that ends with a reply settles it, so a sound design costs one stubbed run. Refusals
 * are data, with the place in the Designer's own text.
 */
import type { Recipe } from '../../shared/config/recipe.ts';
import { checkScript } from '../../shared/script/check.ts';
import { extractScript } from '../../shared/script/extract.ts';
import type { DesignOutcome, ExecutionOutcome, ScriptProblem } from '../../shared/script/outcomes.ts';
import type { ScriptOutcome, ScriptPool } from '../runtime/script/contract.ts';
import { dryRunShapes } from '../runtime/script/dry-run.ts';
import type { DesignDocument, DesignStructure } from '../store/documents.ts';

export interface DesignReply {
  reply: string;
  question: string;
  recipe: Recipe;
  signal: AbortSignal;
}

export type JudgedDesign = Pick<DesignDocument, 'script' | 'outcome' | 'problem' | 'structure'>;

export async function judgeDesign(scripts: ScriptPool, request: DesignReply): Promise<JudgedDesign> {
  const { recipe, reply } = request;
  const extracted = extractScript(reply, recipe.prompts.form);
  if (extracted === null) return { script: null, outcome: 'no-script', problem: null, structure: null };
  const { script } = extracted;
  const checked = checkScript(script, recipe.limits);
  const structure = checked.structure === null ? null : structureOf(checked.structure);
  if (checked.outcome !== 'valid') return { script, outcome: checked.outcome, problem: checked.problem, structure };
  const { outcome, problem } = await tryDesign(scripts, script, request);
  return { script, outcome, problem, structure };
}

const ended: readonly ExecutionOutcome[] = ['replied', 'failed-reply'];
const threw: readonly ExecutionOutcome[] = ['script-error'];
const gaveNoReply: readonly ExecutionOutcome[] = ['authored-answer', 'no-reply', 'waits-for-nothing'];

async function tryDesign(
  scripts: ScriptPool,
  script: string,
  { question, recipe, signal }: DesignReply,
): Promise<{ outcome: DesignOutcome; problem: ScriptProblem | null }> {
  let first: ScriptOutcome | undefined;
  for (const { shape, stub } of dryRunShapes) {
    const run = {
      executionId: `dry-run ${shape}`,
      seedKey: `dry-run/${shape}`,
      promptForm: recipe.prompts.form,
      limits: recipe.limits,
    };
    const outcome = await scripts.run({ ...run, script, question, signal, ...stub() });
    if (ended.includes(outcome.outcome)) return { outcome: 'valid', problem: null };
    first ??= outcome;
  }
  return { outcome: refusal(first!.outcome), problem: first!.error };
}

function refusal(outcome: ExecutionOutcome): DesignOutcome {
  if (threw.includes(outcome)) return 'dry-run-error';
  return gaveNoReply.includes(outcome) ? 'dry-run-no-reply' : 'dry-run-limit';
}
