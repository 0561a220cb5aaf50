/**
 * The project's own questions file: one `Question` a line as JSON, keys in a fixed order, so that equal content has
 * equal bytes and one digest.
 */
import type { CodeTest, CodeVerifier, MathVerifier, Question } from '../domain/question.ts';
import { checkerProblem } from '../verify/checker.ts';
import { asRecord, describe, optionalNumber, optionalText, refuse, requiredText } from './record.ts';
import type { Place, RawRecord } from './record.ts';

/** The canonical line (no newline) of a question. */
export function questionLine(question: Question): string {
  const { id, text, kind, difficulty, verifier } = question;
  return JSON.stringify({ id, text, kind, difficulty, verifier: canonicalVerifier(verifier) });
}

function canonicalVerifier(verifier: Question['verifier']): Question['verifier'] {
  if (verifier.type === 'none') return { type: 'none' };
  if (verifier.type === 'math') return { type: 'math', gold: verifier.gold };
  const { style, functionName, starterCode, argumentsForm, compare, checker, timeLimitMs, memoryLimitMb } = verifier;
  const tests = verifier.tests.map(({ input, expected }) => ({ input, expected }));
  return {
    type: 'code',
    style,
    functionName,
    starterCode,
    ...(argumentsForm === undefined ? {} : { argumentsForm }),
    compare,
    ...(checker === undefined ? {} : { checker }),
    timeLimitMs,
    memoryLimitMb,
    tests,
  };
}

/** Reads a record of the written form. Throws `InvalidInput` with place, field and reason. */
export function parseWritten(record: RawRecord, place: Place): Question {
  const verifier = asRecord(record['verifier'], place, 'verifier');
  return {
    id: requiredText(record, ['id'], place),
    text: requiredText(record, ['text'], place),
    kind: optionalText(record, ['kind'], place),
    difficulty: optionalNumber(record, ['difficulty'], place),
    verifier: parseVerifier(verifier, place),
  };
}

function parseVerifier(verifier: RawRecord, place: Place): Question['verifier'] {
  if (verifier['type'] === 'math') return parseMath(verifier, place);
  if (verifier['type'] === 'code') return parseCode(verifier, place);
  return refuse(place, 'verifier.type', `is ${describe(verifier['type'])}, expected 'math' or 'code'`);
}

function parseMath(verifier: RawRecord, place: Place): MathVerifier {
  return { type: 'math', gold: requiredText(verifier, ['gold'], place) };
}

function parseCode(verifier: RawRecord, place: Place): CodeVerifier {
  const style = oneOf(verifier, 'style', ['stdio', 'call'] as const, place);
  const functionName = optionalText(verifier, ['functionName'], place);
  if (style === 'call' && functionName === null) refuse(place, 'verifier.functionName', "is missing for style 'call'");
  return {
    type: 'code',
    style,
    functionName,
    starterCode: optionalText(verifier, ['starterCode'], place),
    ...parseArgumentsForm(verifier, style, place),
    ...parseComparison(verifier, place),
    timeLimitMs: positive(verifier, 'timeLimitMs', place),
    memoryLimitMb: positive(verifier, 'memoryLimitMb', place),
    tests: parseTests(verifier['tests'], place),
  };
}

function parseArgumentsForm(verifier: RawRecord, style: CodeVerifier['style'], place: Place) {
  if (verifier['argumentsForm'] === undefined) return {};
  if (style !== 'call') refuse(place, 'verifier.argumentsForm', `is given, but style '${style}' calls no function`);
  return { argumentsForm: oneOf(verifier, 'argumentsForm', ['lines', 'array'] as const, place) };
}

const comparisons = ['exact', 'whitespace', 'numeric', 'checker'] as const;

/** The rule of equality, with the checker that it may name. `under`: what the fields' names are prefixed by. */
export function parseComparison(
  record: RawRecord,
  place: Place,
  under = 'verifier.',
): Pick<CodeVerifier, 'compare' | 'checker'> {
  const compare = oneOf(record, 'compare', comparisons, place, under);
  const checker = optionalText(record, ['checker'], place);
  const field = `${under}checker`;
  if (checker === null) {
    return compare === 'checker' ? refuse(place, field, "is missing for compare 'checker'") : { compare };
  }
  if (compare !== 'checker') refuse(place, field, `is given, but compare is '${compare}'`);
  const problem = checkerProblem(checker);
  return problem === null ? { compare, checker } : refuse(place, field, problem);
}

/** At least one test; every input and expected output is text. */
export function parseTests(value: unknown, place: Place, field = 'verifier.tests'): CodeTest[] {
  if (!Array.isArray(value) || value.length === 0) {
    refuse(place, field, `is ${describe(value)}, expected a list of at least one {input, expected}`);
  }
  return value.map((item: unknown, i) => {
    const test = asRecord(item, place, `${field}[${i}]`);
    const expected = test['expected'] ?? test['output'];
    if (typeof test['input'] !== 'string')
      refuse(place, `${field}[${i}].input`, `is ${describe(test['input'])}, expected text`);
    if (typeof expected !== 'string')
      refuse(place, `${field}[${i}].expected`, `is ${describe(expected)}, expected text`);
    return { input: test['input'], expected };
  });
}

function oneOf<const T extends string>(
  record: RawRecord,
  field: string,
  allowed: readonly T[],
  place: Place,
  under = 'verifier.',
): T {
  const found = allowed.find((word) => word === record[field]);
  return found ?? refuse(place, under + field, `is ${describe(record[field])}, expected one of ${allowed.join(', ')}`);
}

function positive(record: RawRecord, field: string, place: Place): number {
  const value = record[field];
  if (typeof value !== 'number' || !(value > 0)) {
    refuse(place, `verifier.${field}`, `is ${describe(value)}, expected a number above 0`);
  }
  return value;
}
