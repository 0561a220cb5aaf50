/**
 * One record of a published file, read field by field. Every refusal names file, line, field and reason, so that a bad
 * record can be found and mended. Knows no benchmark and no file system.
 */
import { DomainError } from '../errors.ts';

/** Where a record stands: the file as the user named it, and its line (or row) counted from 1. */
export interface Place {
  file: string;
  line: number;
}

export type RawRecord = Readonly<Record<string, unknown>>;

/** Throws `InvalidInput` with the message `file:line: field: reason`. */
export function refuse(place: Place, field: string, reason: string): never {
  throw new DomainError('InvalidInput', `${place.file}:${place.line}: ${field}: ${reason}`, {
    ...place,
    field,
    reason,
  });
}

/** Short description of a value for a message: its kind, and the value itself where that is short. */
export function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  const text = typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
  return `${typeof value} ${text.length > 60 ? `${text.slice(0, 57)}…` : text}`;
}

/** Parses one JSON line into an object. */
export function parseRecord(line: string, place: Place): RawRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    refuse(place, '(line)', `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return asRecord(value, place, '(line)');
}

export function asRecord(value: unknown, place: Place, field: string): RawRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(place, field, `is ${describe(value)}, expected an object`);
  }
  return value as RawRecord;
}

/** The first of `names` that the record has (not undefined, not null), or null. */
export function presentField(record: RawRecord, names: readonly string[]): string | null {
  return names.find((name) => record[name] !== undefined && record[name] !== null) ?? null;
}

/** A string with at least one visible character, from the first present of `names`. */
export function requiredText(record: RawRecord, names: readonly string[], place: Place): string {
  const field = presentField(record, names);
  if (field === null) refuse(place, names.join('|'), 'is missing, expected text');
  const value = record[field];
  if (typeof value !== 'string') refuse(place, field, `is ${describe(value)}, expected text`);
  if (value.trim() === '') refuse(place, field, 'is empty, expected text');
  return checkText(value, field, place);
}

/** Like `requiredText`, but null where no such field is present or it is blank. */
export function optionalText(record: RawRecord, names: readonly string[], place: Place): string | null {
  const field = presentField(record, names);
  if (field === null) return null;
  const value = record[field];
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') refuse(place, field, `is ${describe(value)}, expected text`);
  return value.trim() === '' ? null : checkText(value, field, place);
}

/** An answer: text, or a finite number (JSON integers beyond 2^53 have lost digits already and are refused). */
export function requiredAnswer(record: RawRecord, names: readonly string[], place: Place): string {
  const field = presentField(record, names);
  if (field === null) refuse(place, names.join('|'), 'is missing, expected the answer as text or number');
  return answerText(record[field], field, place);
}

export function answerText(value: unknown, field: string, place: Place): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse(place, field, 'is not a finite number');
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      refuse(place, field, `is ${value}, beyond 2^53 where JSON numbers lose digits; write it as text`);
    }
    return String(value);
  }
  if (typeof value !== 'string') refuse(place, field, `is ${describe(value)}, expected text or a number`);
  if (value.trim() === '') refuse(place, field, 'is empty, expected an answer');
  return checkText(value.trim(), field, place);
}

/** A finite number, numeric text or, where `words` has it, a word with a number; null where absent or blank. */
export function optionalNumber(record: RawRecord, names: readonly string[], place: Place): number | null {
  const field = presentField(record, names);
  if (field === null || record[field] === '') return null;
  const value = record[field];
  const number = typeof value === 'string' ? Number(value) : typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    refuse(place, field, `is ${describe(value)}, expected a number`);
  }
  return number;
}

function checkText(value: string, field: string, place: Place): string {
  if (value.includes('\uFFFD')) refuse(place, field, 'holds U+FFFD, the mark of text decoded with the wrong encoding');
  if (value.includes('\0')) refuse(place, field, 'holds a NUL character');
  return value;
}
