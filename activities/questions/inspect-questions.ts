/** `questions show`, `questions stats` and `questions check`: looking at questions files without changing them. */
import type { Question } from '../../shared/domain/question.ts';
import { DomainError } from '../../shared/errors.ts';
import { findContamination } from '../../shared/questions/contamination.ts';
import type { Contamination, ContaminationOptions } from '../../shared/questions/contamination.ts';
import { dedupeQuestions } from '../../shared/questions/select.ts';
import { questionStatistics } from '../../shared/questions/statistics.ts';
import type { QuestionStatistics } from '../../shared/questions/statistics.ts';
import { compareAnswers } from '../../shared/verify/math.ts';
import { loadQuestionsFile } from './load-questions.ts';
import type { Provenance } from './provenance.ts';

export interface ShowOptions {
  file: string;
  /** A question's id; without it the first `count` are shown. */
  id?: string | undefined;
  count?: number | undefined;
}

/** Throws `NotFound` where the file has no such id. */
export async function showQuestions(options: ShowOptions): Promise<Question[]> {
  const { questions } = await loadQuestionsFile(options.file);
  if (options.id === undefined) return questions.slice(0, options.count ?? 1);
  const found = questions.find(({ id }) => id === options.id);
  if (found !== undefined) return [found];
  const near = questions.filter(({ id }) => id.includes(options.id!)).slice(0, 5);
  const hint = near.length === 0 ? '' : `; similar ids: ${near.map(({ id }) => id).join(', ')}`;
  throw new DomainError('NotFound', `'${options.file}' has no question '${options.id}'${hint}`, { ...options });
}

export interface StatsReport extends QuestionStatistics {
  file: string;
  digest: string;
  provenance: Provenance;
}

export async function questionsStats(options: { file: string }): Promise<StatsReport> {
  const { questions, digest, provenance } = await loadQuestionsFile(options.file);
  return { file: options.file, digest, provenance, ...questionStatistics(questions) };
}

export interface CheckOptions extends Partial<ContaminationOptions> {
  /** The training questions. */
  file: string;
  /** Questions held out for evaluation, if any: checked against `file`. */
  heldOut?: string | undefined;
}

export interface CheckReport {
  file: string;
  count: number;
  digest: string;
  heldOut: { file: string; count: number; digest: string } | null;
  /** Questions whose normalised text an earlier one of the file has. */
  repeats: readonly { id: string; sameAs: string }[];
  /** Gold answers that do not match themselves: no answer could ever be right. */
  unverifiable: readonly { id: string; gold: string }[];
  contamination: readonly Contamination[];
  /** True where nothing was found. */
  clean: boolean;
}

export async function checkQuestions(options: CheckOptions): Promise<CheckReport> {
  const train = await loadQuestionsFile(options.file);
  const held = options.heldOut === undefined ? null : await loadQuestionsFile(options.heldOut);
  const repeats = dedupeQuestions(train.questions).dropped;
  const all = [...train.questions, ...(held?.questions ?? [])];
  const unverifiable = all.flatMap(({ id, verifier }) =>
    verifier.type === 'math' && compareAnswers(verifier.gold, verifier.gold) === null
      ? [{ id, gold: verifier.gold }]
      : [],
  );
  const contamination =
    held === null ? [] : findContamination(train.questions, held.questions, definedOptions(options));
  return {
    file: options.file,
    count: train.questions.length,
    digest: train.digest,
    heldOut: held === null ? null : { file: options.heldOut!, count: held.questions.length, digest: held.digest },
    repeats,
    unverifiable,
    contamination,
    clean: repeats.length + unverifiable.length + contamination.length === 0,
  };
}

function definedOptions({ gramLength, threshold }: Partial<ContaminationOptions>): Partial<ContaminationOptions> {
  if (gramLength !== undefined && !(Number.isInteger(gramLength) && gramLength > 0)) {
    throw new DomainError('InvalidInput', `gram length is ${gramLength}, expected a whole number above 0`);
  }
  if (threshold !== undefined && !(threshold > 0 && threshold <= 1)) {
    throw new DomainError('InvalidInput', `threshold is ${threshold}, expected a number above 0 and at most 1`);
  }
  return { ...(gramLength === undefined ? {} : { gramLength }), ...(threshold === undefined ? {} : { threshold }) };
}
