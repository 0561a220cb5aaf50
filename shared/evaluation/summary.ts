/** An evaluation's table from its samples: means over questions with their intervals, and what answering cost. */
import { intervalsOf } from './bootstrap.ts';
import type { Interval } from './bootstrap.ts';
import { questionMetrics } from './metrics.ts';
import type { AnswersEqual } from './metrics.ts';
import type { QuestionSamples, Sample } from './samples.ts';

/** One question's line. */
export interface QuestionRow {
  question: string;
  kind: string | null;
  /** Right samples. */
  correct: number;
  /** Null where answers cannot be compared. */
  majority: boolean | null;
  /** Sums over the question's samples. */
  calls: number;
  promptTokens: number;
  responseTokens: number;
}

export interface EvaluationSummary {
  /** `average`, `pass@j`, `majority`, and costs an answer; means over questions. */
  metrics: Record<string, number> & { average: number };
  /** 95 % intervals of the scores. */
  intervals: Record<string, Interval>;
  perQuestion: QuestionRow[];
}

const sum = (samples: readonly Sample[], of: 'calls' | 'promptTokens' | 'responseTokens') =>
  samples.reduce((total, sample) => total + sample[of], 0);
const mean = (values: readonly number[]) => values.reduce((total, value) => total + value, 0) / values.length;

/** `questions` is not empty. `seedKey` names the resamples of the intervals. */
export function summarise(
  questions: readonly QuestionSamples[],
  equal: AnswersEqual,
  seedKey: string,
): EvaluationSummary {
  const scores = questions.map((question) => questionMetrics(question, equal));
  const names = Object.keys(scores[0]!).filter((name) => scores.every((score) => name in score));
  const columns = Object.fromEntries(names.map((name) => [name, scores.map((score) => score[name]!)]));
  const perQuestion = questions.map(({ question, kind, samples }, index) => ({
    question,
    kind,
    correct: samples.filter(({ correct }) => correct).length,
    majority: scores[index]!.majority === undefined ? null : scores[index]!.majority === 1,
    calls: sum(samples, 'calls'),
    promptTokens: sum(samples, 'promptTokens'),
    responseTokens: sum(samples, 'responseTokens'),
  }));
  const answers = questions.reduce((total, { samples }) => total + samples.length, 0);
  const perAnswer = (of: 'calls' | 'promptTokens' | 'responseTokens') =>
    perQuestion.reduce((total, row) => total + row[of], 0) / answers;
  return {
    metrics: {
      ...Object.fromEntries(names.map((name) => [name, mean(columns[name]!)])),
      average: mean(columns.average!),
      validDesigns: mean(questions.flatMap(({ samples }) => samples.map(({ valid }) => Number(valid)))),
      callsPerAnswer: perAnswer('calls'),
      promptTokensPerAnswer: perAnswer('promptTokens'),
      responseTokensPerAnswer: perAnswer('responseTokens'),
    },
    intervals: intervalsOf(columns, seedKey),
    perQuestion,
  };
}
