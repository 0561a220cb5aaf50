/** `eval compare`: two evaluations side by side and their paired difference. */
import type { EvaluationDocument } from '../../activities/store/documents.ts';
import { compareMeasurements } from '../../shared/evaluation/compare.ts';
import type { CommandResult } from '../command.ts';
import { counted, fixed, percent } from '../view/numbers.ts';
import { renderTable } from '../view/table.ts';

const points = (share: number) => `${share >= 0 ? '+' : ''}${(100 * share).toFixed(1)}`;

/** Throws `InvalidInput` where the two did not answer the same questions. */
export function comparisonResult(first: EvaluationDocument, second: EvaluationDocument): CommandResult {
  const compared = compareMeasurements({ id: first._id, ...first }, { id: second._id, ...second });
  const { difference, interval, questions, better, equal, worse } = compared;
  const [low, high] = interval;
  const verdict = low > 0 ? 'the first is better' : high < 0 ? 'the second is better' : 'no difference is shown';
  return {
    data: { first: first._id, second: second._id, ...compared },
    text: [
      ...renderTable(
        [
          { title: 'evaluation' },
          { title: 'avg@k', align: 'right' },
          { title: 'k', align: 'right' },
          { title: 'calls/answer', align: 'right' },
        ],
        [first, second].map(({ _id, metrics, samples }) => [
          _id,
          percent(metrics.average),
          String(samples),
          fixed(metrics.callsPerAnswer, 2),
        ]),
      ),
      '',
      `difference ${points(difference)} points, 95 % interval ${points(low)} to ${points(high)}: ${verdict}`,
      `of ${counted(questions, 'question')} the first was right more often on ${better}, equally on ${equal}, less on ${worse}`,
    ].join('\n'),
  };
}
