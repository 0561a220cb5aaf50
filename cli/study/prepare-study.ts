/** A study file → checked study, recipes of all its runs, and the plan that its workflow carries. No server is needed. */
import { readdir } from 'node:fs/promises';
import { parseConfig } from '../../shared/config/parse.ts';
import type { Recipe } from '../../shared/config/recipe.ts';
import { studySchema } from '../../shared/config/study.ts';
import type { Study } from '../../shared/config/study.ts';
import { checkRunId, studyRunId } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import { variantsOf } from '../../shared/plan/study-variants.ts';
import type { Variant } from '../../shared/plan/study-variants.ts';
import { parseBudget, systemOf } from '../../shared/systems/registry.ts';
import type { Budget } from '../../shared/systems/system.ts';
import { loadDatasets } from '../datasets.ts';
import type { RunDatasets } from '../datasets.ts';
import { readDefinitionFile } from '../definition-file.ts';
import { checkSearch, checkSystem } from '../measure/answering-system.ts';
import type { SystemRequest } from '../measure/answering-system.ts';
import { searchSettings } from '../measure/search.ts';
import { loadRecipe } from '../recipes.ts';

const folder = new URL('../../runs/studies/', import.meta.url);

export interface PreparedRun {
  runId: string;
  recipe: Recipe;
  datasets: RunDatasets;
}

export interface PreparedCell {
  variant: string;
  seed: number;
  system: string;
  runId: string;
  /** What is measured when the run has ended; null: the run's own last evaluation is the result. */
  measured: SystemRequest | null;
}

export interface PreparedStudy {
  study: Study;
  bases: PreparedRun[];
  runs: PreparedRun[];
  cells: PreparedCell[];
}

/** Names of the shipped studies, in order. */
export async function studyNames(): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

/** Throws `InvalidConfig` naming every wrong field, or `InvalidInput` where there is no such study. */
export async function loadStudy(nameOrFile: string): Promise<Study> {
  const isName = /^[a-z0-9][a-z0-9-]*$/.test(nameOrFile);
  if (isName && !(await studyNames()).includes(nameOrFile)) {
    throw new DomainError(
      'InvalidInput',
      `there is no study '${nameOrFile}': expected one of ${(await studyNames()).join(', ')}, or the path of a study file`,
    );
  }
  const input = isName
    ? ((await import(new URL(`${nameOrFile}.ts`, folder).href)) as { default: unknown }).default
    : await readDefinitionFile('study', nameOrFile);
  return parseConfig(studySchema, input, `study '${nameOrFile}'`);
}

export async function prepareStudy(study: Study): Promise<PreparedStudy> {
  const variants = variantsOf(study);
  const budget = study.budget === undefined ? null : parseBudget(study.budget);
  const prepared: PreparedStudy = { study, bases: [], runs: [], cells: [] };
  const needsBase = study.sharedColdStart || variants.some(isMeasuredOnly);
  if (study.coldStartsOf !== undefined && !needsBase) {
    throw new DomainError(
      'InvalidConfig',
      `study '${study.name}' takes the cold starts of '${study.coldStartsOf}', but every run has its own: leave coldStartsOf out, or set sharedColdStart=true`,
    );
  }
  for (const seed of study.seeds) {
    const base = needsBase ? await prepareBase(study, seed) : null;
    if (base !== null) prepared.bases.push(base);
    for (const variant of variants) {
      const { cell, run } = await prepareCell(study, variant, seed, base, budget);
      prepared.cells.push(cell);
      if (run !== null) prepared.runs.push(run);
    }
  }
  return prepared;
}

/** Systems that need no training of their own are measured on the cold start. */
const isMeasuredOnly = ({ system }: Variant) => {
  if (system === null) return false;
  const { kind, name } = systemOf(system);
  return kind !== 'trained' && name !== 'metaagentx';
};

async function prepareBase(study: Study, seed: number): Promise<PreparedRun> {
  const set = [...study.set, 'stages.scheme=stagewise', 'stages.count=0'];
  const recipe = await loadRecipe({ recipe: study.recipe, seed, set });
  const runId = checkRunId(studyRunId(study.coldStartsOf ?? study.name, 'cold-start', seed));
  return { runId, recipe, datasets: await loadDatasets(recipe) };
}

async function prepareCell(
  study: Study,
  variant: Variant,
  seed: number,
  base: PreparedRun | null,
  budget: Budget | null,
): Promise<{ cell: PreparedCell; run: PreparedRun | null }> {
  const { name, system, set } = variant;
  checkSearch(
    system === null ? null : systemOf(system),
    variant.search,
    (setting) => `search.${setting} of variant '${name}'`,
  );
  const identity = { variant: name, seed, system: system ?? 'metaagentx' };
  if (isMeasuredOnly(variant)) {
    const own = set[study.set.length];
    if (own !== undefined) {
      throw new DomainError(
        'InvalidConfig',
        `variant '${name}' of study '${study.name}' sets ${own}, but ${system!} is measured on the cold start of all: move it to the study's own \`set\``,
      );
    }
    return {
      cell: { ...identity, runId: base!.runId, measured: checkSystem(system!, budget, searchSettings(variant.search)) },
      run: null,
    };
  }
  const runId = checkRunId(studyRunId(study.name, name, seed));
  const from = study.sharedColdStart && base !== null ? inherited(study, variant, base) : [];
  const recipe = await loadRecipe({
    recipe: study.recipe,
    seed,
    set: [...set, ...from],
    ...(system === null ? {} : { system }),
  });
  const measured = budget === null ? null : checkSystem(undefined, budget);
  return { cell: { ...identity, runId, measured }, run: { runId, recipe, datasets: await loadDatasets(recipe) } };
}

/** Throws `InvalidConfig` where the variant changes what the shared cold start has settled. */
function inherited(study: Study, { name, set }: Variant, { runId, recipe }: PreparedRun): string[] {
  const own = set.slice(study.set.length).find((change) => /^(coldStart|policy\.init)\b/.test(change));
  if (own !== undefined) {
    throw new DomainError(
      'InvalidConfig',
      `variant '${name}' of study '${study.name}' sets ${own}, but every run starts from one cold start: move it to the study's own \`set\`, or set sharedColdStart=false`,
    );
  }
  const version = recipe.coldStart.type === 'none' ? 0 : recipe.coldStart.chunks;
  const init = { type: 'policy', runId, version };
  return [`policy.init=${JSON.stringify(init)}`, 'coldStart={"type":"none"}'];
}
