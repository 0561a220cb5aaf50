/** An evaluation's samples from the database: designs, executions and verdicts of its batch, question by question. */
import { designId, executionId, rolloutId } from '../../shared/domain/ids.ts';
import type { Question, Verdict } from '../../shared/domain/question.ts';
import { DomainError } from '../../shared/errors.ts';
import type { QuestionSamples, Sample } from '../../shared/evaluation/samples.ts';
import type { DesignDocument, ExecutionDocument } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';

export interface SampleQuery {
  /** The evaluation's id. */
  batchId: string;
  /** Digest of its questions. */
  dataset: string;
  samples: number;
  /** The first so many questions. */
  questions: number;
}

type Designed = Pick<DesignDocument, '_id' | 'outcome' | 'writtenBy' | 'promptTokens' | 'responseTokens'>;
type Executed = Pick<ExecutionDocument, '_id' | 'usage' | 'reply' | 'question'>;

export interface StoredEvaluation {
  /** In the dataset's order. */
  questions: Question[];
  designs: Map<string, Designed>;
  executions: Map<string, Executed>;
}

const byId = <T extends { _id: string }>(list: readonly T[]) => new Map(list.map((each) => [each._id, each]));

/** Everything but verdicts. Throws `RecordConflict` where a question or a sample is missing. */
export async function readEvaluationRecords(store: Store, query: SampleQuery): Promise<StoredEvaluation> {
  const { batchId, dataset, samples, questions } = query;
  const [asked, designs, executions] = await Promise.all([
    store.questions
      .find({ digest: dataset, index: { $lt: questions } })
      .sort({ index: 1 })
      .toArray(),
    store.designs
      .find({ batchId }, { projection: { outcome: 1, writtenBy: 1, promptTokens: 1, responseTokens: 1 } })
      .toArray(),
    store.executions.find({ batchId }, { projection: { usage: 1, reply: 1, question: 1 } }).toArray(),
  ]);
  if (asked.length !== questions || designs.length !== questions * samples) {
    throw new DomainError(
      'RecordConflict',
      `${batchId} is not whole in the store: ${asked.length} of ${questions} questions, ${designs.length} of ${questions * samples} samples`,
      { batchId },
    );
  }
  return { questions: asked.map(({ question }) => question), designs: byId(designs), executions: byId(executions) };
}

/** `verdicts` by execution id. */
export function samplesOf(
  { questions, designs, executions }: StoredEvaluation,
  query: SampleQuery,
  verdicts: ReadonlyMap<string, Verdict | null>,
): QuestionSamples[] {
  return questions.map((question, index) => ({
    question: question.id,
    kind: question.kind,
    comparable: question.verifier.type === 'math',
    samples: Array.from({ length: query.samples }, (_, sample) => {
      const id = designId(rolloutId(query.batchId, index), sample);
      const execution = executions.get(executionId(id, 0));
      return sampleOf(designs.get(id)!, execution, verdicts.get(executionId(id, 0)) ?? null);
    }),
  }));
}

function sampleOf(design: Designed, execution: Executed | undefined, verdict: Verdict | null): Sample {
  const usage = execution?.usage ?? { calls: 0, promptTokens: 0, responseTokens: 0 };
  return {
    correct: verdict?.correct === true,
    answer: verdict?.answer ?? null,
    valid: design.outcome === 'valid',
    calls: (design.writtenBy === 'designer' ? 1 : 0) + usage.calls,
    promptTokens: design.promptTokens + usage.promptTokens,
    responseTokens: design.responseTokens + usage.responseTokens,
  };
}
