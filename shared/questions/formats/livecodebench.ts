/**
 * LiveCodeBench (v6 and before): public tests as JSON text; private tests as JSON text or base64 of zlib of a pickled
 * JSON string, which is read without unpickling (`pickle-text.ts`).
 */
import type { CodeTest } from '../../domain/question.ts';
import { readPickledText } from '../pickle-text.ts';
import { asRecord, describe, optionalText, refuse, requiredText } from '../record.ts';
import type { Place, RawRecord } from '../record.ts';
import { codeVerifier, parseJsonField } from './code-tests.ts';
import type { FormatTools, QuestionFormat } from './format.ts';

const levels = new Map([['easy', 1], ['medium', 2], ['hard', 3]]); // prettier-ignore

export const livecodebench: QuestionFormat = {
  name: 'livecodebench',
  about: 'LiveCodeBench v1 to v6: question_content, starter_code, public_test_cases, private_test_cases, metadata',
  parse(record, place, tools) {
    const level = optionalText(record, ['difficulty'], place);
    const functionName = functionNameOf(record, place);
    const style = functionName === null ? 'stdin' : 'functional';
    const tests = ['public_test_cases', 'private_test_cases'].flatMap((field) =>
      testsOf(record, field, style, place, tools),
    );
    if (tests.length === 0) refuse(place, 'public_test_cases|private_test_cases', 'hold no test');
    const title = optionalText(record, ['question_title'], place);
    const content = requiredText(record, ['question_content'], place);
    return {
      id: `lcb-${requiredText(record, ['question_id'], place)}`,
      text: title === null ? content : `${title}\n\n${content}`,
      kind: optionalText(record, ['platform'], place),
      difficulty:
        level === null
          ? null
          : (levels.get(level) ?? refuse(place, 'difficulty', `is '${level}', expected easy, medium or hard`)),
      verifier: codeVerifier(tests, functionName, optionalText(record, ['starter_code'], place), tools.maxTests),
    };
  },
};

function functionNameOf(record: RawRecord, place: Place): string | null {
  const raw = record['metadata'];
  if (raw === undefined || raw === null || raw === '') return null;
  const value = typeof raw === 'string' ? parseJsonField(raw, place, 'metadata') : raw;
  return optionalText(asRecord(value, place, 'metadata'), ['func_name'], place);
}

function testsOf(record: RawRecord, field: string, style: string, place: Place, tools: FormatTools): CodeTest[] {
  const raw = record[field];
  if (raw === undefined || raw === null || raw === '') return [];
  let value: unknown = raw;
  if (typeof raw === 'string')
    value = parseJsonField(/^\s*\[/.test(raw) ? raw : inflated(raw, place, field, tools), place, field);
  if (!Array.isArray(value)) refuse(place, field, `is ${describe(value)}, expected a list of tests`);
  return value.map((item: unknown, i) => {
    const at = `${field}[${i}]`;
    const test = asRecord(item, place, at);
    const { input, output, testtype } = test;
    if (typeof input !== 'string') refuse(place, `${at}.input`, `is ${describe(input)}, expected text`);
    if (typeof output !== 'string') refuse(place, `${at}.output`, `is ${describe(output)}, expected text`);
    if (testtype !== undefined && testtype !== style) {
      refuse(
        place,
        `${at}.testtype`,
        `is ${describe(testtype)}, but metadata.func_name makes this question '${style}'`,
      );
    }
    return style === 'stdin' ? { input, expected: output } : callTest(input, output, place, at);
  });
}

/** One JSON value a line is one argument. */
function callTest(input: string, output: string, place: Place, at: string): CodeTest {
  const args = input
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => parseJsonField(line, place, `${at}.input`));
  return { input: JSON.stringify(args), expected: JSON.stringify(parseJsonField(output, place, `${at}.output`)) };
}

function inflated(text: string, place: Place, field: string, tools: FormatTools): string {
  if (!/^[A-Za-z0-9+/=\s]+$/.test(text)) refuse(place, field, 'is neither a JSON list nor base64 text');
  try {
    return readPickledText(tools.inflate(bytesOf(text)));
  } catch (error) {
    refuse(place, field, `cannot be decompressed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const bytesOf = (base64: string) => Uint8Array.from(atob(base64.replace(/\s/g, '')), (c) => c.charCodeAt(0));
