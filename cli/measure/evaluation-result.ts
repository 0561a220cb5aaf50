/** A finished evaluation as one JSON object, as a table, and as CSV of its metrics or of its questions. */
import type { EvaluationDocument } from '../../activities/store/documents.ts';
import { csvText } from '../../shared/evaluation/csv.ts';
import type { CommandResult } from '../command.ts';
import { counted, fixed, moment, percent, version } from '../view/numbers.ts';
import type { Paint } from '../view/paint.ts';
import { renderFacts, renderTable } from '../view/table.ts';

export const csvKinds = ['metrics', 'questions'] as const;
export type CsvKind = (typeof csvKinds)[number];

export function evaluationResult(found: EvaluationDocument, paint: Paint, csv?: CsvKind): CommandResult {
  const { _id, system, budget, policyVersion, dataset, samples, questions } = found;
  if (csv !== undefined) return { data: { ...found, id: _id }, text: evaluationCsv(found, csv) };
  return {
    data: { ...found, id: _id },
    text: [
      paint.bold(_id),
      ...renderFacts([
        ['system', `${system}${budget === null ? '' : `, at most ${budget.amount} ${budget.unit} an answer`}`],
        ['policy', version(policyVersion)],
        ['questions', `${dataset.name}, ${counted(questions, 'question')} × ${counted(samples, 'sample')}`],
        ['measured', moment(found.createdAt)],
      ]),
      '',
      ...metricLines(found),
      '',
      `look deeper: npx metaagentx inspect ${_id}`,
    ].join('\n'),
  };
}

/** Shares and their intervals, then costs. */
export function metricLines({ metrics, intervals, samples }: EvaluationDocument): string[] {
  const scores = Object.keys(intervals).map((name) => [
    name === 'average' ? `avg@${samples}` : name === 'majority' ? `majority@${samples}` : name,
    percent(metrics[name]),
    `${percent(intervals[name]![0])} to ${percent(intervals[name]![1])}`,
  ]);
  return renderTable(
    [{ title: 'metric' }, { title: 'value', align: 'right' }, { title: '95 % interval' }],
    [
      ...scores,
      ['valid designs', percent(metrics.validDesigns), ''],
      ['calls an answer', fixed(metrics.callsPerAnswer, 2), ''],
      ['prompt tokens an answer', fixed(metrics.promptTokensPerAnswer, 1), ''],
      ['response tokens an answer', fixed(metrics.responseTokensPerAnswer, 1), ''],
    ],
  );
}

function evaluationCsv({ _id, metrics, intervals, perQuestion, samples }: EvaluationDocument, kind: CsvKind): string {
  if (kind === 'metrics') {
    return csvText(
      ['evaluation', 'metric', 'value', 'low', 'high'],
      Object.entries(metrics).map(([name, value]) => [_id, name, value, ...(intervals[name] ?? [null, null])]),
    );
  }
  return csvText(
    ['evaluation', 'question', 'kind', 'samples', 'correct', 'majority', 'calls', 'promptTokens', 'responseTokens'],
    perQuestion.map(({ question, kind: sort, correct, majority, calls, promptTokens, responseTokens }) => [
      _id,
      question,
      sort,
      samples,
      correct,
      majority,
      calls,
      promptTokens,
      responseTokens,
    ]),
  );
}
