/**
 * Is a Designer's reply a design that may run? Extraction, parse and static checks, then a dry run against stubbed
 * answers: the first answer shape that ends with a reply settles it, so a sound design costs one stubbed run. Refusals
 * are data, with the place in the Designer's own text.
 */
import type { Recipe } from '../../shared/config/recipe.ts';
import { checkScript } from '../../shared/script/check.ts';
import { judgeDryRun } from '../../shared/script/dry-verdict.ts';
import type { DryRunShape } from '../../shared/script/dry-verdict.ts';
import { extractScript } from '../../shared/script/extract.ts';
import type { DesignStructure as ScriptStructure } from '../../shared/script/structure.ts';
import type { ScriptPool } from '../runtime/script/contract.ts';
import { dryRunShapes } from '../runtime/script/dry-run.ts';
import { scriptSettings } from './script-settings.ts';
import type { DesignDocument, DesignStructure } from '../store/documents.ts';

export interface DesignReply {
  reply: string;
  question: string;
  recipe: Recipe;
  signal: AbortSignal;
}

export type JudgedDesign = Pick<DesignDocument, 'script' | 'outcome' | 'problem' | 'structure' | 'dryRun'>;

export async function judgeDesign(scripts: ScriptPool, request: DesignReply): Promise<JudgedDesign> {
  const { recipe, reply } = request;
  const extracted = extractScript(reply, recipe.prompts.form);
  if (extracted === null) return { script: null, outcome: 'no-script', problem: null, structure: null, dryRun: [] };
  return judgeScript(scripts, { ...request, script: extracted.script });
}

/** Checks and dry run of a script that needs no extraction. */
export async function judgeScript(
  scripts: ScriptPool,
  request: Omit<DesignReply, 'reply'> & { script: string },
): Promise<JudgedDesign> {
  const { recipe, script } = request;
  const checked = checkScript(script, { limits: recipe.limits, tools: recipe.designs.tools });
  const structure = checked.structure === null ? null : summaryOf(checked.structure);
  const shapes = checked.problems.length > 0 ? [] : await tryDesign(scripts, script, request);
  const refusal = checked.problems[0] ?? judgeDryRun(shapes);
  const dryRun = shapes.map(({ shape, outcome, calls }) => ({ shape, outcome, calls }));
  if (refusal === null) return { script, outcome: 'valid', problem: null, structure, dryRun };
  const { outcome, ...problem } = refusal;
  return { script, outcome, problem, structure, dryRun };
}

interface TriedShape extends DryRunShape {
  calls: number;
}

async function tryDesign(
  scripts: ScriptPool,
  script: string,
  { question, recipe, signal }: Omit<DesignReply, 'reply'>,
): Promise<TriedShape[]> {
  const shapes: TriedShape[] = [];
  for (const { shape, stub } of dryRunShapes) {
    const { outcome, error, usage } = await scripts.run({
      executionId: `dry-run ${shape}`,
      seedKey: `dry-run/${shape}`,
      ...scriptSettings(recipe),
      script,
      question,
      signal,
      ...stub(),
    });
    shapes.push({ shape, outcome, error, calls: usage.calls });
    if (outcome === 'replied') break;
  }
  return shapes;
}

/** What statistics over many designs need: how many agents, and which node gives the result. */
export function summaryOf({ nodes, edges }: ScriptStructure): DesignStructure {
  const last = edges.find(({ to }) => to === 'result')?.from;
  return {
    agents: nodes.filter(({ kind }) => kind === 'agent').length,
    pattern: nodes.find(({ id }) => id === last)?.kind ?? 'plain',
  };
}
