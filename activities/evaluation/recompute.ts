/**
 * An evaluation derived again from the database alone: every stored reply is judged anew against the stored question, and
 * the table is computed from that. Nothing of the stored result is used but what was measured (id, k, questions).
 */
import type { Verdict } from '../../shared/domain/question.ts';
import { summarise } from '../../shared/evaluation/summary.ts';
import type { EvaluationSummary } from '../../shared/evaluation/summary.ts';
import { answersEqual } from '../../shared/verify/math.ts';
import type { CodeJudge } from '../code-judge.ts';
import type { Store } from '../store/connect.ts';
import type { EvaluationDocument } from '../store/documents.ts';
import { judgeReply } from '../verify-batch.ts';
import { readEvaluationRecords, samplesOf } from './read-samples.ts';
import { intervalKey } from './record-evaluation.ts';

export interface Recomputed {
  summary: EvaluationSummary;
  /** Executions that were judged. */
  judged: number;
  /** Executions whose stored verdict was another. */
  changedVerdicts: string[];
  /** Fields in which the stored result differs, e.g. `metrics.average: 0.5, recomputed 0.4`. */
  differences: string[];
}

export async function recomputeEvaluation(
  store: Store,
  stored: EvaluationDocument,
  codeJudge: CodeJudge,
  signal: AbortSignal,
): Promise<Recomputed> {
  const { _id: batchId, runId, dataset, samples, questions } = stored;
  const query = { batchId, dataset: dataset.digest, samples, questions };
  const records = await readEvaluationRecords(store, query);
  const asked = new Map(records.questions.map((question) => [question.id, question]));
  const verdicts = new Map<string, Verdict | null>();
  for (const { _id, question, reply } of records.executions.values()) {
    const { verdict } = await judgeReply(codeJudge, asked.get(question)!, reply, signal);
    verdicts.set(_id, verdict);
  }
  const standing = await store.verdicts.find({ batchId }).toArray();
  const summary = summarise(samplesOf(records, query, verdicts), answersEqual, intervalKey(runId, batchId));
  return {
    summary,
    judged: verdicts.size,
    changedVerdicts: standing
      .filter(({ _id, verdict }) => verdict?.correct !== verdicts.get(_id)?.correct)
      .map(({ _id }) => _id),
    differences: differencesOf(
      { metrics: stored.metrics, intervals: stored.intervals, perQuestion: stored.perQuestion },
      summary,
    ),
  };
}

/** Leaves of two JSON-like values that are not identical. */
function differencesOf(stored: unknown, recomputed: unknown, path = ''): string[] {
  if (isTree(stored) && isTree(recomputed)) {
    const keys = new Set([...Object.keys(stored), ...Object.keys(recomputed)]);
    return [...keys].flatMap((key) =>
      differencesOf(stored[key], recomputed[key], path === '' ? key : `${path}.${key}`),
    );
  }
  if (Object.is(stored, recomputed)) return [];
  return [`${path}: ${JSON.stringify(stored) ?? 'nothing'}, recomputed ${JSON.stringify(recomputed) ?? 'nothing'}`];
}

const isTree = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object';
