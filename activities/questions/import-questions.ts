/** `questions import`: published files of one benchmark into a questions file. */
import { basename } from 'node:path';
import { inflateSync } from 'node:zlib';
import type { Question } from '../../shared/domain/question.ts';
import { DomainError, isDomainError } from '../../shared/errors.ts';
import { isSkipped } from '../../shared/questions/formats/format.ts';
import type { FormatTools, Skipped } from '../../shared/questions/formats/format.ts';
import { questionFormat } from '../../shared/questions/formats/registry.ts';
import { dedupeQuestions } from '../../shared/questions/select.ts';
import { digestFile } from './digest-file.ts';
import { readRecords } from './read-records.ts';
import { writeQuestions } from './write-questions.ts';
import type { WrittenQuestions } from './write-questions.ts';

export interface ImportOptions {
  /** A name of `questionFormats`. */
  format: string;
  files: readonly string[];
  out: string;
  /** Count malformed records instead of stopping at the first. */
  skipBad?: boolean | undefined;
  /** Drop questions whose normalised text an earlier one has; without it a repeated id is an error. */
  dedupe?: boolean | undefined;
  /** Stop after this many questions. */
  limit?: number | undefined;
  /** Tests kept a code question. */
  maxTests?: number | undefined;
  overwrite?: boolean | undefined;
}

export interface ImportReport extends WrittenQuestions {
  records: number;
  /** Sound records of a kind this project cannot use, by reason. */
  skipped: Readonly<Record<string, number>>;
  /** Malformed records: all counted, the first 20 messages kept. */
  bad: { count: number; messages: readonly string[] };
  /** Questions dropped as copies of an earlier one. */
  duplicates: number;
}

const mostMessages = 20;
/** Inflated tests of one question; the largest published ones are near 100 MB. */
const inflateLimit = 1 << 29;

/** Throws `InvalidInput` for an unknown format, an unreadable file, or (without `skipBad`) the first malformed record. */
export async function importQuestions(options: ImportOptions): Promise<ImportReport> {
  const format = questionFormat(options.format);
  const tools: FormatTools = {
    inflate: (bytes) => inflateSync(bytes, { maxOutputLength: inflateLimit }),
    maxTests: options.maxTests ?? null,
  };
  const skipped: Record<string, number> = {};
  const messages: string[] = [];
  const questions: Question[] = [];
  let [records, bad] = [0, 0];
  const full = () => options.limit !== undefined && questions.length >= options.limit;
  for (const file of options.files) {
    for await (const item of readRecords(file)) {
      if (full()) break;
      records += 1;
      const result = 'error' in item ? item.error : attempt(() => format.parse(item.record, item.place, tools));
      if (result instanceof DomainError) {
        if (options.skipBad !== true) throw result;
        bad += 1;
        if (messages.length < mostMessages) messages.push(result.message);
      } else if (isSkipped(result)) skipped[result.skipped] = (skipped[result.skipped] ?? 0) + 1;
      else questions.push(result);
    }
  }
  const { kept, dropped } = options.dedupe === true ? dedupeQuestions(questions) : { kept: questions, dropped: [] };
  if (kept.length === 0) throw nothingLeft(options, records, skipped, bad);
  const sources = await Promise.all(
    options.files.map(async (file) => ({ name: basename(file), sha256: await digestFile(file), url: null })),
  );
  const { skipBad, dedupe, limit, maxTests } = options;
  const provenance = { made: `import ${format.name}`, sources, options: { skipBad, dedupe, limit, maxTests } };
  const written = await writeQuestions(options.out, kept, provenance, options.overwrite);
  return { ...written, records, skipped, bad: { count: bad, messages }, duplicates: dropped.length };
}

function attempt(f: () => Question | Skipped): Question | Skipped | DomainError {
  try {
    return f();
  } catch (error) {
    if (isDomainError(error, 'InvalidInput')) return error;
    throw error;
  }
}

function nothingLeft(
  options: ImportOptions,
  records: number,
  skipped: Record<string, number>,
  bad: number,
): DomainError {
  const reasons = Object.entries(skipped).map(([reason, count]) => `${count} ${reason}`);
  const detail = [...reasons, ...(bad > 0 ? [`${bad} malformed`] : [])].join(', ');
  return new DomainError(
    'InvalidInput',
    `no question in ${options.files.join(', ')} (${records} records${detail === '' ? '' : `: ${detail}`}); check that the format is '${options.format}'`,
    { records, bad },
  );
}
