/**
 * The project's own questions file: one `Question` a line as JSON, keys in a fixed order, so that equal content has
 * equal bytes and one digest.
 */
import type { CodeTest, CodeVerifier, MathVerifier, Question } from '../domain/question.ts';
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
  const { style, functionName, starterCode, compare, timeLimitMs, memoryLimitMb } = verifier;
  const tests = verifier.tests.map(({ input, expected }) => ({ input, expected }));
  return { type: 'code', style, functionName, starterCode, compare, timeLimitMs, memoryLimitMb, tests };
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
    compare: oneOf(verifier, 'compare', ['exact', 'whitespace', 'numeric'] as const, place),
    timeLimitMs: positive(verifier, 'timeLimitMs', place),
    memoryLimitMb: positive(verifier, 'memoryLimitMb', place),
    tests: parseTests(verifier['tests'], place),
  };
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

function oneOf<const T extends string>(record: RawRecord, field: string, allowed: readonly T[], place: Place): T {
  const found = allowed.find((word) => word === record[field]);
  return (
    found ?? refuse(place, `verifier.${field}`, `is ${describe(record[field])}, expected one of ${allowed.join(', ')}`)
  );
}

function positive(record: RawRecord, field: string, place: Place): number {
  const value = record[field];
  if (typeof value !== 'number' || !(value > 0)) {
    refuse(place, `verifier.${field}`, `is ${describe(value)}, expected a number above 0`);
  }
  return value;
}
