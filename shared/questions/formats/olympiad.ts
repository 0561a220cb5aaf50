/**
 * OlympiadBench: only what a text verifier can judge (English, open-ended, text only, answer not marked for people). The
 * rest is skipped with its reason, not refused.
 */
import { contentId } from '../content-id.ts';
import { describe, optionalText, refuse, requiredText } from '../record.ts';
import type { Place, RawRecord } from '../record.ts';
import type { QuestionFormat } from './format.ts';

export const olympiad: QuestionFormat = {
  name: 'olympiadbench',
  about: 'OlympiadBench, open-ended English text-only mathematics: question, final_answer, context, subfield',
  parse(record, place) {
    const skipped = unusable(record);
    if (skipped !== null) return { skipped };
    const question = requiredText(record, ['question'], place);
    const context = optionalText(record, ['context'], place);
    const text = context === null ? question.trim() : `${context.trim()}\n\n${question.trim()}`;
    const id = optionalText(record, ['id'], place);
    return {
      id: id === null ? contentId('olympiad', text) : `olympiad-${id}`,
      text,
      kind: optionalText(record, ['subfield', 'subject'], place),
      difficulty: null,
      verifier: { type: 'math', gold: finalAnswer(record, place) },
    };
  },
};

function unusable(record: RawRecord): string | null {
  const is = (field: string, pattern: RegExp) =>
    record[field] === undefined || record[field] === null || pattern.test(fieldText(record[field]));
  if (!is('language', /^english$/i)) return 'not English';
  if (!is('question_type', /^open-ended$/i)) return 'not open-ended';
  if (!is('modality', /^text-only$/i)) return 'not text-only';
  if (!is('answer_type', /^(?!need_human_evaluate)/i)) return 'needs a person to judge';
  if (!is('subject', /^(?!physics)/i)) return 'not mathematics';
  return Object.keys(record).some((key) => /^image_\d+$/.test(key) && record[key] !== null && record[key] !== '')
    ? 'has an image'
    : null;
}

const fieldText = (value: unknown) => (typeof value === 'string' ? value : '');

/** `final_answer` is a list of answers, each of which may hold several values; together they are one list. */
function finalAnswer(record: RawRecord, place: Place): string {
  const value = record['final_answer'];
  const list: unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? [value] : [];
  if (list.length === 0) refuse(place, 'final_answer', `is ${describe(value)}, expected a list of at least one answer`);
  return list
    .map((item, i) => {
      if (typeof item !== 'string' || item.trim() === '')
        refuse(place, `final_answer[${i}]`, `is ${describe(item)}, expected text`);
      return item.trim();
    })
    .join(', ');
}
