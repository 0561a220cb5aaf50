/**
 * Reads gold and answer pairs for the verifier from JSON Lines: `gold` and `answer` in each line, an `id` where there is
 * one. Knows nothing of how they are judged.
 */
import type { DomainError } from '../../shared/errors.ts';
import { isDomainError } from '../../shared/errors.ts';
import { describe, optionalText, parseRecord, refuse, requiredAnswer } from '../../shared/questions/record.ts';
import type { Place, RawRecord } from '../../shared/questions/record.ts';
import { readLines } from './read-lines.ts';

export interface AnswerPair {
  id: string | null;
  gold: string;
  /** Raw model text; empty where the model said nothing. */
  answer: string;
}

/** One entry a line that is not blank. Throws `InvalidInput` (`file:line: field: reason`), or with `skipBad` keeps it. */
export async function readPairs(path: string, skipBad: boolean): Promise<(AnswerPair | DomainError)[]> {
  const pairs: (AnswerPair | DomainError)[] = [];
  for await (const [line, number] of readLines(path)) {
    if (line.trim() === '') continue;
    const place = { file: path, line: number };
    try {
      pairs.push(pairOf(parseRecord(line, place), place));
    } catch (error) {
      if (!skipBad || !isDomainError(error, 'InvalidInput')) throw error;
      pairs.push(error);
    }
  }
  return pairs;
}

function pairOf(record: RawRecord, place: Place): AnswerPair {
  const { answer } = record;
  if (answer === undefined) refuse(place, 'answer', "is missing, expected the model's text");
  return {
    id: optionalText(record, ['id'], place),
    gold: requiredAnswer(record, ['gold'], place),
    answer: answerOf(answer, place),
  };
}

/** No answer at all (null) is a wrong answer, not a malformed line. */
function answerOf(value: unknown, place: Place): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return refuse(place, 'answer', `is ${describe(value)}, expected text`);
}
