/** The rules that a script is checked and run by: a recipe's, or the defaults with the tools that were named. */
import { scriptSettings } from '../../activities/rollout/script-settings.ts';
import { DomainError } from '../../shared/errors.ts';
import { knownTools } from '../../shared/script/api.ts';
import { defaultScriptLimits } from '../../shared/script/limits.ts';
import { loadRecipe } from '../recipes.ts';

export interface RuleOptions {
  recipe?: string;
  set?: readonly string[];
  tools?: string;
}

export type ScriptRules = ReturnType<typeof scriptSettings>;

/** Throws `InvalidConfig` or `InvalidInput`. */
export async function scriptRules({ recipe, set, tools }: RuleOptions): Promise<ScriptRules> {
  if (recipe !== undefined && tools !== undefined) {
    throw new DomainError(
      'InvalidInput',
      '--tools and --recipe exclude each other: the recipe says which tools it grants',
    );
  }
  if (recipe !== undefined) return scriptSettings(await loadRecipe({ recipe, ...(set === undefined ? {} : { set }) }));
  if (set !== undefined) throw new DomainError('InvalidInput', '--set changes a recipe: name it with --recipe');
  return {
    promptForm: 'documented',
    limits: defaultScriptLimits,
    grantedTools: toolNames(tools),
    allowAuthored: false,
  };
}

function toolNames(list: string | undefined): string[] {
  const names = list === undefined || list === '' ? [] : list.split(',').map((name) => name.trim());
  for (const name of names) {
    if ((knownTools as readonly string[]).includes(name)) continue;
    throw new DomainError('InvalidInput', `there is no tool '${name}': expected some of ${knownTools.join(', ')}`, {
      name,
    });
  }
  return names;
}
