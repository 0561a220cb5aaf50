/** CodeContests: public, private and generated tests, time and memory limits of the contest. Standard input only. */
import type { CodeTest } from '../../domain/question.ts';
import { asRecord, describe, optionalNumber, optionalText, presentField, refuse, requiredText } from '../record.ts';
import type { Place, RawRecord } from '../record.ts';
import { codeVerifier, pairedLists, streamText } from './code-tests.ts';
import type { QuestionFormat } from './format.ts';

const sources = ['unknown', 'codechef', 'codeforces', 'hackerearth', 'codejam', 'atcoder', 'aizu'];

export const codecontests: QuestionFormat = {
  name: 'codecontests',
  about: 'CodeContests: description, public_tests, private_tests, generated_tests, time_limit, memory_limit_bytes',
  parse(record, place, tools) {
    const text = requiredText(record, ['description'], place);
    if (/<image>/.test(text)) return { skipped: 'has an image' };
    if (optionalText(record, ['input_file'], place) !== null) return { skipped: 'reads a named file' };
    const tests = ['public_tests', 'private_tests', 'generated_tests'].flatMap((field) =>
      testsOf(record, field, place),
    );
    if (tests.length === 0) return { skipped: 'has no tests' };
    const rating = optionalNumber(record, ['cf_rating'], place);
    const source = optionalNumber(record, ['source'], place);
    return {
      id: `codecontests-${requiredText(record, ['name'], place).replace(/\s+/g, '_')}`,
      text: text.trim(),
      kind: source === null ? null : (sources[source] ?? null),
      difficulty: rating === null || rating === 0 ? optionalNumber(record, ['difficulty'], place) : rating,
      verifier: codeVerifier(tests, null, null, tools.maxTests, {
        timeLimitMs: timeLimit(record, place),
        memoryLimitMb: memoryLimit(record, place),
      }),
    };
  },
};

function testsOf(record: RawRecord, field: string, place: Place): CodeTest[] {
  if (presentField(record, [field]) === null) return [];
  const tests = asRecord(record[field], place, field);
  const [inputs, outputs] = pairedLists(
    tests['input'] ?? tests['inputs'],
    tests['output'] ?? tests['outputs'],
    place,
    field,
  );
  return inputs.map((input, i) => ({
    input: streamText(input, place, `${field}.input[${i}]`),
    expected: streamText(outputs[i], place, `${field}.output[${i}]`),
  }));
}

/** `{seconds, nanos}` (null means unknown), or seconds. */
function timeLimit(record: RawRecord, place: Place): number | undefined {
  const value = record['time_limit'];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return positive(value * 1000, place, 'time_limit');
  const limit = asRecord(value, place, 'time_limit');
  const [seconds, nanos] = [
    optionalNumber(limit, ['seconds'], place) ?? 0,
    optionalNumber(limit, ['nanos'], place) ?? 0,
  ];
  return positive(seconds * 1000 + nanos / 1e6, place, 'time_limit');
}

function memoryLimit(record: RawRecord, place: Place): number | undefined {
  const bytes = optionalNumber(record, ['memory_limit_bytes'], place);
  return bytes === null || bytes === 0 ? undefined : positive(bytes / 1e6, place, 'memory_limit_bytes');
}

function positive(value: number, place: Place, field: string): number {
  return value > 0 ? value : refuse(place, field, `is ${describe(value)}, expected more than 0`);
}
