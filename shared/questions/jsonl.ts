/**
 * Reads one line of a questions file: the project's written form (`text` + `verifier`), or the generic form most
 * published files share: `question`|`problem`|`input`|`prompt` with `answer`|`target`|`solution` for mathematics, or with
 * `tests` for code. Worked solutions must end in `\boxed{…}` or GSM8K's `#### n`. Knows field names, not files.
 */
import type { CodeVerifier, Question } from '../domain/question.ts';
import { hashAnswer, lastBoxed } from '../verify/extract-answer.ts';
import { contentId } from './content-id.ts';
import {
  describe,
  optionalNumber,
  optionalText,
  parseRecord,
  presentField,
  refuse,
  requiredAnswer,
  requiredText,
} from './record.ts';
import type { Place, RawRecord } from './record.ts';
import { parseComparison, parseTests, parseWritten } from './written.ts';

const textFields = ['question', 'problem', 'input', 'prompt', 'text'];
const answerFields = ['answer', 'target', 'final_answer', 'expected_answer', 'gold', 'solution'];
const idFields = ['id', 'question_id', 'problem_id', 'uuid', 'name'];
const kindFields = ['kind', 'subject', 'type', 'category', 'topic'];

/** Seconds and megabytes allowed where a code question states no limits of its own. */
export const defaultLimits = { timeLimitMs: 6000, memoryLimitMb: 512 } as const;

/** One line to one question. Throws `InvalidInput`: `file:line: field: reason`. `lineNumber` counts from 1. */
export function parseQuestionLine(line: string, file: string, lineNumber: number): Question {
  const place = { file, line: lineNumber };
  return parseGeneric(parseRecord(line, place), place);
}

/** Same, for a record that is already an object (from JSON or Parquet). */
export function parseGeneric(record: RawRecord, place: Place): Question {
  if (record['verifier'] !== undefined) return parseWritten(record, place);
  const text = requiredText(record, textFields, place);
  return {
    id: optionalText(record, idFields, place) ?? contentId('q', text),
    text,
    kind: optionalText(record, kindFields, place),
    difficulty: numericOrNull(record, ['difficulty', 'level']),
    verifier:
      record['tests'] === undefined ? { type: 'math', gold: goldAnswer(record, place) } : codeVerifier(record, place),
  };
}

/** The gold answer: the answer field itself, or the end of the worked solution that stands in its place. */
export function goldAnswer(record: RawRecord, place: Place): string {
  const field = presentField(record, answerFields);
  if (field === null) refuse(place, answerFields.join('|'), 'is missing, expected the answer as text or number');
  const answer = requiredAnswer(record, [field], place);
  const marked = hashAnswer(answer) ?? lastBoxed(answer);
  if (marked !== null && marked !== '') return field === 'answer' || field === 'target' ? tidy(marked, answer) : marked;
  if (field === 'solution') {
    refuse(place, field, "holds no '\\boxed{…}' and no '#### n', so the final answer cannot be told from the working");
  }
  return answer;
}

const tidy = (marked: string, answer: string) =>
  answer.includes('####') ? marked.replace(/(?<=\d),(?=\d{3})/g, '') : marked;

/** Difficulty where the source gives a number, or text that ends in one ("Level 5"); other words say nothing here. */
export function numericOrNull(record: RawRecord, names: readonly string[]): number | null {
  const field = presentField(record, names);
  if (field === null) return null;
  const value = record[field];
  if (typeof value === 'number' || typeof value === 'bigint')
    return Number.isFinite(Number(value)) ? Number(value) : null;
  const match = typeof value === 'string' ? /(-?\d+(?:\.\d+)?)\s*$/.exec(value) : null;
  return match === null ? null : Number(match[1]);
}

function codeVerifier(record: RawRecord, place: Place): CodeVerifier {
  const functionName = optionalText(record, ['function_name', 'functionName', 'fn_name', 'entry_point'], place);
  return {
    type: 'code',
    style: functionName === null ? 'stdio' : 'call',
    functionName,
    starterCode: optionalText(record, ['starter_code', 'starterCode'], place),
    ...argumentsForm(record, functionName, place),
    tests: parseTests(record['tests'], place, 'tests'),
    ...compareRule(record, place),
    timeLimitMs: limit(record, ['time_limit_ms', 'timeLimitMs'], defaultLimits.timeLimitMs, place),
    memoryLimitMb: limit(record, ['memory_limit_mb', 'memoryLimitMb'], defaultLimits.memoryLimitMb, place),
  };
}

function argumentsForm(record: RawRecord, functionName: string | null, place: Place) {
  const value = record['arguments_form'] ?? record['argumentsForm'];
  if (value === undefined || value === null) return {};
  if (functionName === null) refuse(place, 'arguments_form', 'is given, but the question names no function');
  if (value !== 'lines' && value !== 'array')
    refuse(place, 'arguments_form', `is ${describe(value)}, expected lines or array`);
  return { argumentsForm: value } as const;
}

/** A record with a `checker` is judged by it; `compare` need not say so. */
const compareRule = (record: RawRecord, place: Place) =>
  parseComparison(
    { ...record, compare: record['compare'] ?? ((record['checker'] ?? null) === null ? 'whitespace' : 'checker') },
    place,
    '',
  );

function limit(record: RawRecord, names: readonly string[], fallback: number, place: Place): number {
  const value = optionalNumber(record, names, place) ?? fallback;
  if (value <= 0) refuse(place, presentField(record, names) ?? names[0]!, `is ${value}, expected a number above 0`);
  return value;
}
