/** What a loader of one published benchmark is. Pure: inflating bytes is handed in. */
import type { Question } from '../../domain/question.ts';
import type { Place, RawRecord } from '../record.ts';

/** A record that is sound but not of the kind this project can use (an image, a proof); counted, never an error. */
export interface Skipped {
  skipped: string;
}

export interface FormatTools {
  /** zlib inflation of at most a set size; throws on damaged bytes. */
  inflate(bytes: Uint8Array): Uint8Array;
  /** Tests kept per code question, in the order public, private, generated; null keeps all. */
  maxTests: number | null;
}

export interface QuestionFormat {
  name: string;
  /** One line for the list of formats. */
  about: string;
  /** Throws `InvalidInput` (`file:line: field: reason`). */
  parse(record: RawRecord, place: Place, tools: FormatTools): Question | Skipped;
}

export const isSkipped = (result: Question | Skipped): result is Skipped => 'skipped' in result;
