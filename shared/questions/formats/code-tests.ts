/**
 * Tests of code benchmarks in the project's one shape. `stdio`: text in, text out. `call`: `input` is a JSON array of the
 * arguments, `expected` the JSON of the return value.
 */
import type { CodeTest, CodeVerifier } from '../../domain/question.ts';
import { defaultLimits } from '../jsonl.ts';
import { describe, refuse } from '../record.ts';
import type { Place } from '../record.ts';

/** A verifier with this project's default limits and white-space comparison unless told otherwise. */
export function codeVerifier(
  tests: readonly CodeTest[],
  functionName: string | null,
  starterCode: string | null,
  maxTests: number | null,
  limits: Partial<Pick<CodeVerifier, 'timeLimitMs' | 'memoryLimitMb'>> = {},
): CodeVerifier {
  return {
    type: 'code',
    style: functionName === null ? 'stdio' : 'call',
    functionName,
    starterCode,
    ...(functionName === null ? {} : { argumentsForm: 'array' as const }),
    tests: maxTests === null ? tests : tests.slice(0, maxTests),
    compare: functionName === null ? 'whitespace' : 'exact',
    timeLimitMs: limits.timeLimitMs ?? defaultLimits.timeLimitMs,
    memoryLimitMb: limits.memoryLimitMb ?? defaultLimits.memoryLimitMb,
  };
}

/** Parses JSON inside a field. */
export function parseJsonField(text: string, place: Place, field: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    refuse(place, field, `holds no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Text as it is; a list of lines joined, as some files write standard input. */
export function streamText(value: unknown, place: Place, field: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value) && value.every((line) => typeof line === 'string' || typeof line === 'number'))
    return value.join('\n');
  return refuse(place, field, `is ${describe(value)}, expected text or a list of lines`);
}

/** Inputs and outputs as two lists of one length. */
export function pairedLists(inputs: unknown, outputs: unknown, place: Place, field: string): [unknown[], unknown[]] {
  if (!Array.isArray(inputs)) refuse(place, `${field}.inputs`, `is ${describe(inputs)}, expected a list`);
  if (!Array.isArray(outputs)) refuse(place, `${field}.outputs`, `is ${describe(outputs)}, expected a list`);
  if (inputs.length !== outputs.length) {
    refuse(place, field, `has ${inputs.length} inputs but ${outputs.length} outputs, expected as many of each`);
  }
  return [inputs, outputs];
}
