/** What a run's recipe says about every script, in the script runtime's words. */
import type { Recipe } from '../../shared/config/recipe.ts';
import type { ScriptRun } from '../runtime/script/contract.ts';

type Settings = Required<Pick<ScriptRun, 'promptForm' | 'limits' | 'grantedTools' | 'allowAuthored'>>;

export const scriptSettings = ({
  prompts,
  limits,
  designs,
}: Pick<Recipe, 'prompts' | 'limits' | 'designs'>): Settings => ({
  promptForm: prompts.form,
  limits,
  grantedTools: designs.tools,
  allowAuthored: designs.authoredAnswers,
});
