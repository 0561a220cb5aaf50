/** Verdicts → credits of one iteration: reads rewards, lets `shared/rl` compute, stores one credit a trajectory. */
import { rolloutId } from '../shared/domain/ids.ts';
import type { Role } from '../shared/domain/role.ts';
import type { AssignCreditInput, AssignCreditResult } from '../shared/domain/tasks.ts';
import { DomainError } from '../shared/errors.ts';
import { assignQuestionCredit } from '../shared/rl/hierarchical-credit.ts';
import type { Credit, DesignRewards, QuestionCredit } from '../shared/rl/hierarchical-credit.ts';
import { crashPoint } from './crash-point.ts';
import type { RunContexts } from './run-context.ts';
import type { CreditDocument } from './store/documents.ts';
import type { Store } from './store/connect.ts';
import { insertAllOnce } from './store/write.ts';
import type { Draft } from './store/write.ts';

export async function assignCredit(
  { store, runs }: { store: Store; runs: RunContexts },
  input: AssignCreditInput,
): Promise<AssignCreditResult> {
  const { recipe } = await runs.run(input);
  const trees = await readTrees(store, input.batchId);
  const credits = input.slots.map((slot) => {
    const rollout = rolloutId(input.batchId, slot);
    const designs = trees.get(rollout);
    if (designs === undefined) {
      throw new DomainError('RecordConflict', `${rollout} has no stored designs to credit`, { rollout });
    }
    return { rollout, credit: assignQuestionCredit(rollout, designs, recipe.credit) };
  });
  await insertAllOnce(
    store.credits,
    credits.flatMap(({ rollout, credit }) => draftsOf(input, rollout, credit)),
  );
  crashPoint('credits-stored');
  const designs = credits.flatMap(({ credit }) => credit.designs);
  const executions = credits.flatMap(({ credit }) => credit.executions);
  const informative = (list: Credit[]) => list.filter(({ advantage }) => advantage !== 0).length;
  return {
    meanReward: designs.reduce((sum, { reward }) => sum + reward, 0) / designs.length,
    informative: { designer: informative(designs), executor: informative(executions) },
  };
}

/** Designs with their executions' rewards, by rollout id, in order of design and execution. */
async function readTrees(store: Store, batchId: string): Promise<Map<string, DesignRewards[]>> {
  const [designs, executions, verdicts] = await Promise.all([
    store.designs.find({ batchId }, { projection: { rolloutId: 1, design: 1 } }).toArray(),
    store.executions.find({ batchId }, { projection: { designId: 1, execution: 1 } }).toArray(),
    store.verdicts.find({ batchId }, { projection: { reward: 1 } }).toArray(),
  ]);
  const rewardOf = new Map(verdicts.map(({ _id, reward }) => [_id, reward]));
  const executionsOf = new Map<string, typeof executions>(designs.map(({ _id }) => [_id, []]));
  for (const execution of executions) executionsOf.get(execution.designId)?.push(execution);
  const trees = new Map<string, DesignRewards[]>();
  for (const design of designs.sort((a, b) => a.design - b.design)) {
    const own = executionsOf.get(design._id)!.sort((a, b) => a.execution - b.execution);
    const rewards = own.map(({ _id }) => {
      const reward = rewardOf.get(_id);
      if (reward === undefined) throw new DomainError('RecordConflict', `${_id} has no verdict to credit`, { id: _id });
      return { executionId: _id, reward };
    });
    const tree = trees.get(design.rolloutId) ?? [];
    tree.push({ designId: design._id, executions: rewards });
    trees.set(design.rolloutId, tree);
  }
  return trees;
}

function draftsOf(input: AssignCreditInput, rollout: string, credit: QuestionCredit): Draft<CreditDocument>[] {
  const draft =
    (role: Role) =>
    ({ trajectoryId, ...rest }: Credit) => ({
      _id: trajectoryId,
      runId: input.runId,
      batchId: input.batchId,
      rolloutId: rollout,
      role,
      ...rest,
    });
  return [...credit.designs.map(draft('designer')), ...credit.executions.map(draft('executor'))];
}
