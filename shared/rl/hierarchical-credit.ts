/**
 * Credit of one question's tree (paper section 3.2, equations for R_i and both advantages). Execution reward r_ij;
 * design reward R_i = mean over its executions; designer advantage over the designs of the question; executor advantage
 * over the executions of the question (or of the design), every execution weighing the same however many calls it made.
 * An invalid design has reward 0, no executions, and stays in its group. Knows nothing of where rewards come from.
 */
import type { Normalisation } from '../config/recipe.ts';
import { normalise } from './normalise.ts';

export interface CreditSettings {
  designer: Normalisation;
  executor: { group: 'question' | 'design'; normalise: Normalisation };
}

/** Rewards of a design's executions, in order; empty for an invalid design. */
export interface DesignRewards {
  designId: string;
  executions: readonly { executionId: string; reward: number }[];
}

export interface Credit {
  /** Design id or execution id: the trajectory that is credited. */
  trajectoryId: string;
  reward: number;
  baseline: number;
  advantage: number;
  /** Id of what its group shares: the rollout, or the design. */
  group: string;
  groupSize: number;
}

export interface QuestionCredit {
  designs: Credit[];
  executions: Credit[];
}

const mean = (values: readonly number[]) =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

function creditGroup(strategy: Normalisation, group: string, members: { id: string; reward: number }[]): Credit[] {
  const { baselines, advantages } = normalise(
    strategy,
    members.map((member) => member.reward),
  );
  return members.map(({ id, reward }, index) => ({
    trajectoryId: id,
    reward,
    baseline: baselines[index]!,
    advantage: advantages[index]!,
    group,
    groupSize: members.length,
  }));
}

/** Credit of all trajectories of one rollout. */
export function assignQuestionCredit(
  rolloutId: string,
  designs: readonly DesignRewards[],
  settings: CreditSettings,
): QuestionCredit {
  const designRewards = designs.map(({ designId, executions }) => ({
    id: designId,
    reward: mean(executions.map((execution) => execution.reward)),
  }));
  const members = (list: DesignRewards['executions']) =>
    list.map(({ executionId, reward }) => ({ id: executionId, reward }));
  const { group, normalise: strategy } = settings.executor;
  const executions =
    group === 'question'
      ? creditGroup(strategy, rolloutId, members(designs.flatMap((design) => design.executions)))
      : designs.flatMap((design) => creditGroup(strategy, design.designId, members(design.executions)));
  return { designs: creditGroup(settings.designer, rolloutId, designRewards), executions };
}
