/** A finished evaluation as one JSON object and as text. */
import type { EvaluationDocument } from '../../activities/store/documents.ts';
import type { CommandResult } from '../command.ts';
import { counted, percent, version } from '../view/numbers.ts';
import type { Paint } from '../view/paint.ts';
import { renderFacts } from '../view/table.ts';

export function evaluationResult(found: EvaluationDocument, paint: Paint): CommandResult {
  const { _id, policyVersion, dataset, samples, questions, metrics } = found;
  return {
    data: { ...found, id: _id },
    text: [
      paint.bold(_id),
      ...renderFacts([
        ['policy', version(policyVersion)],
        ['questions', `${dataset.name}, ${counted(questions, 'question')}`],
        [`avg@${samples}`, percent(metrics.average)],
        ['valid designs', percent(metrics.validDesigns)],
        ['calls a question', (metrics.callsPerQuestion ?? 0).toFixed(2)],
      ]),
      '',
      `look deeper: npx metaagentx inspect ${_id}`,
    ].join('\n'),
  };
}
