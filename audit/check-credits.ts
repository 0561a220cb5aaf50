/**
 * Credits of a batch, recomputed from verdicts by the definitions of the method (docs/algorithm.md), in code of the
 * auditor's own: R_i = mean of r_ij; groups of a question's designs, and of a question's or a design's executions.
 */
import type { RunDocument } from '../activities/store/documents.ts';
import { near } from './check-verdict.ts';
import type { Findings } from './report.ts';
import { rolloutsOf } from './tree.ts';
import type { Tree } from './tree.ts';

interface Member {
  id: string;
  reward: number;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Baseline and advantage of one member of a group of rewards. */
const rules: Record<string, (group: readonly number[], own: number) => { baseline: number; advantage: number }> = {
  std(group, own) {
    const centre = mean(group);
    const spread = Math.sqrt(group.reduce((sum, reward) => sum + (reward - centre) ** 2, 0) / (group.length - 1));
    return { baseline: centre, advantage: (own - centre) / (spread + 1e-6) };
  },
  'mean-only': (group, own) => ({ baseline: mean(group), advantage: own - mean(group) }),
  'leave-one-out'(group, own) {
    const others = (group.reduce((sum, reward) => sum + reward, 0) - own) / (group.length - 1);
    return { baseline: others, advantage: own - others };
  },
};

export function checkCredits(findings: Findings, run: RunDocument, tree: Tree, complete: boolean): void {
  if (tree.batch.purpose === 'evaluation') {
    for (const id of tree.credits.keys()) findings.found('credits', id, 'credits an evaluation');
    return;
  }
  if (tree.credits.size === 0 && !complete) return;
  const { credit: settings } = run.recipe;
  const credited = new Set<string>();
  const check = (group: string, role: string, strategy: string, members: readonly Member[]) => {
    for (const member of members) {
      credited.add(member.id);
      checkCredit(findings, tree, { group, role, strategy, member, members });
    }
  };
  for (const rollout of rolloutsOf(tree.batch)) {
    const designs = [...tree.designs.values()].filter(({ rolloutId }) => rolloutId === rollout);
    const executions = [...tree.executions.values()].filter(({ rolloutId }) => rolloutId === rollout);
    const rewardOf = (id: string) => tree.verdicts.get(id)?.reward ?? NaN;
    const membersOf = (design: string | null): Member[] =>
      executions
        .filter(({ designId }) => design === null || designId === design)
        .map(({ _id }) => ({ id: _id, reward: rewardOf(_id) }));
    const ofDesigns = designs.map(({ _id }) => {
      const rewards = membersOf(_id).map(({ reward }) => reward);
      return { id: _id, reward: rewards.length === 0 ? 0 : mean(rewards) };
    });
    check(rollout, 'designer', settings.designer, ofDesigns);
    const { group, normalise } = settings.executor;
    if (group === 'question') check(rollout, 'executor', normalise, membersOf(null));
    else for (const { _id } of designs) check(_id, 'executor', normalise, membersOf(_id));
  }
  findings.saw('credits', tree.credits.size);
  for (const id of tree.credits.keys())
    if (!credited.has(id)) findings.found('credits', id, 'has no place in the plan');
}

interface Case {
  group: string;
  role: string;
  strategy: string;
  member: Member;
  members: readonly Member[];
}

function checkCredit(findings: Findings, tree: Tree, { group, role, strategy, member, members }: Case): void {
  const credit = tree.credits.get(member.id);
  const say = (problem: string) => findings.found('credits', member.id, problem);
  if (credit === undefined) return say('is missing');
  if (credit.role !== role || credit.group !== group || credit.groupSize !== members.length) {
    say(
      `is ${credit.role} in ${credit.group} of ${credit.groupSize}: expected ${role} in ${group} of ${members.length}`,
    );
  }
  if (!near(credit.reward, member.reward)) say(`has reward ${credit.reward}: verdicts give ${member.reward}`);
  const rule = rules[strategy];
  if (rule === undefined) return findings.note(`advantages of the strategy '${strategy}' are not recomputed`);
  const rewards = members.map(({ reward }) => reward);
  const nothingToCompare = rewards.length < 2 || rewards.every((reward) => reward === rewards[0]);
  const expected = nothingToCompare ? { baseline: member.reward, advantage: 0 } : rule(rewards, member.reward);
  if (!near(credit.advantage, expected.advantage) || !near(credit.baseline, expected.baseline)) {
    say(
      `has baseline ${credit.baseline} and advantage ${credit.advantage}: rewards give ${expected.baseline} and ${expected.advantage}`,
    );
  }
}
