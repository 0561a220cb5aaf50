/** APPS: `input_output` as JSON text with `inputs`, `outputs` and, for call-based problems, `fn_name`. */
import type { CodeTest } from '../../domain/question.ts';
import { asRecord, optionalText, refuse, requiredText } from '../record.ts';
import type { Place, RawRecord } from '../record.ts';
import { codeVerifier, pairedLists, parseJsonField, streamText } from './code-tests.ts';
import type { QuestionFormat } from './format.ts';

const levels = new Map([['introductory', 1], ['interview', 2], ['competition', 3]]); // prettier-ignore

export const apps: QuestionFormat = {
  name: 'apps',
  about: 'APPS: question, input_output, starter_code, difficulty',
  parse(record, place, tools) {
    const text = requiredText(record, ['question'], place);
    const cases = record['input_output'];
    if (cases === undefined || cases === null || cases === '') return { skipped: 'has no tests' };
    const value = asRecord(
      typeof cases === 'string' ? parseJsonField(cases, place, 'input_output') : cases,
      place,
      'input_output',
    );
    const functionName = optionalText(value, ['fn_name'], place);
    const tests = testsOf(value, functionName !== null, place);
    if (tests.length === 0) return { skipped: 'has no tests' };
    const level = optionalText(record, ['difficulty'], place);
    return {
      id: `apps-${optionalText(record, ['problem_id', 'id'], place) ?? refuse(place, 'problem_id', 'is missing')}`,
      text: text.trim(),
      kind: level,
      difficulty:
        level === null
          ? null
          : (levels.get(level) ??
            refuse(place, 'difficulty', `is '${level}', expected introductory, interview or competition`)),
      verifier: codeVerifier(tests, functionName, optionalText(record, ['starter_code'], place), tools.maxTests),
    };
  },
};

function testsOf(value: RawRecord, call: boolean, place: Place): CodeTest[] {
  const [inputs, outputs] = pairedLists(value['inputs'], value['outputs'], place, 'input_output');
  return inputs.map((input, i) => {
    if (!call) {
      return {
        input: streamText(input, place, `input_output.inputs[${i}]`),
        expected: streamText(outputs[i], place, `input_output.outputs[${i}]`),
      };
    }
    if (!Array.isArray(input))
      refuse(place, `input_output.inputs[${i}]`, 'is not a list of arguments, as fn_name requires');
    return { input: JSON.stringify(input), expected: JSON.stringify(returned(outputs[i])) };
  });
}

/** The published files wrap each return value in a list of one. */
const returned = (output: unknown): unknown =>
  Array.isArray(output) && output.length === 1 ? (output[0] as unknown) : output;
