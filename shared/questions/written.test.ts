import { describe, expect, it } from 'vitest';
import { parseQuestionLine } from './jsonl.ts';
import { questionLine } from './written.ts';

const code = {
  type: 'code',
  style: 'call',
  functionName: 'f',
  starterCode: null,
  argumentsForm: 'array',
  compare: 'checker',
  checker: '(input, expected, output) => output === expected',
  timeLimitMs: 1000,
  memoryLimitMb: 64,
  tests: [{ input: '[1]', expected: '1' }],
};
const line = (verifier: object) => JSON.stringify({ id: 'q', text: 'What?', kind: null, difficulty: null, verifier });

it('keeps every field of a code question', () => {
  const question = parseQuestionLine(line(code), 'file', 1);
  expect(question.verifier).toEqual(code);
  expect(questionLine(question)).toBe(questionLine(parseQuestionLine(questionLine(question), 'file', 1)));
  expect(JSON.parse(questionLine(question))).toEqual(JSON.parse(line(code)));
});

describe('refusals', () => {
  it.each([
    [{ checker: undefined }, 'verifier.checker: is missing'],
    [{ compare: 'exact' }, "verifier.checker: is given, but compare is 'exact'"],
    [{ checker: 'output === expected' }, 'verifier.checker: is not a function expression'],
    [{ checker: '(a =>' }, 'verifier.checker: is not JavaScript'],
    [{ checker: '() => true; 1' }, 'verifier.checker: goes on after the function'],
    [{ argumentsForm: 'object' }, 'verifier.argumentsForm: is string "object"'],
    [{ style: 'stdio' }, 'verifier.argumentsForm: is given, but style'],
  ])('%j', (changes, message) => {
    expect(() => parseQuestionLine(line({ ...code, ...changes }), 'file', 7)).toThrow(`file:7: ${message}`);
  });
});

it('reads both from the generic form', () => {
  const record = {
    question: 'What?',
    function_name: 'f',
    arguments_form: 'lines',
    checker: '() => true',
    tests: [{ input: '1', output: '1' }],
  };
  expect(parseQuestionLine(JSON.stringify(record), 'file', 1).verifier).toMatchObject({
    argumentsForm: 'lines',
    compare: 'checker',
    checker: '() => true',
  });
});
