/** A batch as a grid: its questions, the designs of each, the reward of each execution. */
import type { Store } from '../../../activities/store/connect.ts';
import type { RunDocument } from '../../../activities/store/documents.ts';
import type { Question } from '../../../shared/domain/question.ts';
import { readTexts } from '../../inspect/questions-of.ts';
import type { BatchTarget } from '../../inspect/target.ts';
import { groupBy } from './group.ts';

export interface GridExecution {
  id: string;
  outcome: string;
  /** Null until judged. */
  reward: number | null;
  advantage: number | null;
}

export interface GridDesign {
  id: string;
  design: number;
  outcome: string;
  pattern: string | null;
  agents: number | null;
  /** Of the credit; null where none was assigned. */
  reward: number | null;
  advantage: number | null;
  executions: GridExecution[];
}

export interface GridQuestion {
  rollout: string;
  slot: number;
  questionId: string;
  question: Question | null;
  designs: GridDesign[];
}

export interface BatchData {
  questions: GridQuestion[];
  /** Version that sampled; null for an empty batch. */
  policyVersion: number | null;
}

const byNumber = (id: string) => Number(/(\d+)$/.exec(id)?.[1] ?? 0);

export async function readBatchData(
  context: { store: Store; run: RunDocument },
  target: BatchTarget,
): Promise<BatchData> {
  const { store } = context;
  const { batchId } = target;
  const [designs, executions, verdicts, credits] = await Promise.all([
    store.designs
      .find(
        { batchId },
        { projection: { rolloutId: 1, design: 1, outcome: 1, structure: 1, question: 1, policyVersion: 1 } },
      )
      .toArray(),
    store.executions.find({ batchId }, { projection: { designId: 1, execution: 1, outcome: 1 } }).toArray(),
    store.verdicts.find({ batchId }, { projection: { reward: 1 } }).toArray(),
    store.credits.find({ batchId }, { projection: { reward: 1, advantage: 1 } }).toArray(),
  ]);
  const rewards = new Map(verdicts.map(({ _id, reward }) => [_id, reward]));
  const credit = new Map(credits.map((each) => [each._id, each]));
  const ran = groupBy(executions, ({ designId }) => designId);
  const texts = await readTexts(context, target, [...new Set(designs.map(({ question }) => question))]);
  const grid = [...groupBy(designs, ({ rolloutId }) => rolloutId)].map(([rollout, own]): GridQuestion => ({
    rollout,
    slot: byNumber(rollout),
    questionId: own[0]!.question,
    question: texts.get(own[0]!.question) ?? null,
    designs: own
      .sort((a, b) => a.design - b.design)
      .map(({ _id, design, outcome, structure }) => ({
        id: _id,
        design,
        outcome,
        pattern: structure?.pattern ?? null,
        agents: structure?.agents ?? null,
        reward: credit.get(_id)?.reward ?? null,
        advantage: credit.get(_id)?.advantage ?? null,
        executions: (ran.get(_id) ?? [])
          .sort((a, b) => a.execution - b.execution)
          .map((execution) => ({
            id: execution._id,
            outcome: execution.outcome,
            reward: rewards.get(execution._id) ?? null,
            advantage: credit.get(execution._id)?.advantage ?? null,
          })),
      })),
  }));
  return {
    questions: grid.sort((a, b) => a.slot - b.slot),
    policyVersion: designs[0]?.policyVersion ?? null,
  };
}
