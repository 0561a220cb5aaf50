/** One question with everything below it, but for what only one open node shows: an execution's calls. */
import type { Store } from '../../../activities/store/connect.ts';
import type {
  CallDocument,
  CreditDocument,
  DesignDocument,
  ExecutionDocument,
  RunDocument,
  VerdictDocument,
} from '../../../activities/store/documents.ts';
import type { Question } from '../../../shared/domain/question.ts';
import { DomainError } from '../../../shared/errors.ts';
import { withoutPacked } from '../../inspect/inspection.ts';
import { readQuestion } from '../../inspect/questions-of.ts';
import type { Target } from '../../inspect/target.ts';

export type QuestionTarget = Extract<Target, { level: 'question' | 'design' | 'execution' | 'call' }>;

export interface ExecutionBranch {
  execution: ExecutionDocument;
  verdict: VerdictDocument | null;
  credit: CreditDocument | null;
}

export interface DesignBranch {
  design: DesignDocument;
  credit: CreditDocument | null;
  executions: ExecutionBranch[];
}

export interface QuestionData {
  question: Question | null;
  designs: DesignBranch[];
  /** Of the execution that is open, in the order of asking; empty where none is. */
  calls: CallDocument[];
}

/** Throws `NotFound` where nothing is stored under the target. */
export async function readQuestionData(
  context: { store: Store; run: RunDocument },
  target: QuestionTarget,
): Promise<QuestionData> {
  const { store } = context;
  const rolloutId = target.rollout;
  const open = 'execution' in target ? target.execution : null;
  const [designs, executions, verdicts, credits, calls] = await Promise.all([
    store.designs.find({ rolloutId }, { projection: withoutPacked }).toArray() as Promise<DesignDocument[]>,
    store.executions.find({ rolloutId }).toArray(),
    store.verdicts.find({ rolloutId }).toArray(),
    store.credits.find({ rolloutId }).toArray(),
    open === null
      ? []
      : (store.calls.find({ executionId: open }, { projection: withoutPacked }).toArray() as Promise<CallDocument[]>),
  ]);
  if (designs.length === 0) {
    throw new DomainError('NotFound', `no design is stored under '${rolloutId}'; see ${target.batchId}`, {
      rolloutId,
    });
  }
  const creditOf = new Map(credits.map((credit) => [credit._id, credit]));
  const verdictOf = new Map(verdicts.map((verdict) => [verdict._id, verdict]));
  const branches = designs
    .sort((a, b) => a.design - b.design)
    .map((design): DesignBranch => ({
      design,
      credit: creditOf.get(design._id) ?? null,
      executions: executions
        .filter(({ designId }) => designId === design._id)
        .sort((a, b) => a.execution - b.execution)
        .map((execution) => ({
          execution,
          verdict: verdictOf.get(execution._id) ?? null,
          credit: creditOf.get(execution._id) ?? null,
        })),
    }));
  checkPresent(target, branches, calls);
  return {
    question: await readQuestion(context, target, designs[0]!.question),
    designs: branches,
    calls: calls.sort((a, b) => a.call - b.call),
  };
}

function checkPresent(target: QuestionTarget, designs: readonly DesignBranch[], calls: readonly CallDocument[]): void {
  const refuse = (what: string, id: string): never => {
    throw new DomainError('NotFound', `there is no ${what} '${id}'; see ${target.rollout}`, { id });
  };
  if ('design' in target && !designs.some(({ design }) => design._id === target.design))
    refuse('design', target.design);
  if ('execution' in target && calls.length === 0) {
    const known = designs.some(({ executions }) =>
      executions.some(({ execution }) => execution._id === target.execution),
    );
    if (!known) refuse('execution', target.execution);
  }
  if ('call' in target && !calls.some(({ _id }) => _id === target.call)) refuse('call', target.call);
}
