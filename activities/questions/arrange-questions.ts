/** `questions split` and `questions mix`: new questions files from old ones, by seeded draws. */
import { basename, resolve } from 'node:path';
import type { Question } from '../../shared/domain/question.ts';
import { DomainError } from '../../shared/errors.ts';
import { findContamination } from '../../shared/questions/contamination.ts';
import { dedupeQuestions, filterQuestions, mixQuestions, splitQuestions } from '../../shared/questions/select.ts';
import type { QuestionFilter } from '../../shared/questions/select.ts';
import { loadQuestionsFile } from './load-questions.ts';
import { checkTarget, writeQuestions } from './write-questions.ts';
import type { WrittenQuestions } from './write-questions.ts';

export interface SplitOptions extends QuestionFilter {
  file: string;
  /** Share that goes to `out[0]`, in (0, 1). */
  ratio: number;
  seed: string;
  /** Two new files: the share, and the rest. */
  out: readonly [string, string];
  /** Drop copies first, so that no problem stands on both sides. On by default. */
  dedupe?: boolean | undefined;
  overwrite?: boolean | undefined;
}

export interface SplitReport {
  first: WrittenQuestions;
  second: WrittenQuestions;
  /** Questions left out as copies. */
  duplicates: number;
  /** Pairs across the two sides that still look alike (not removed). */
  alike: number;
}

export async function splitQuestionsFile(options: SplitOptions): Promise<SplitReport> {
  const { questions, digest } = await loadQuestionsFile(options.file);
  const { kept, dropped } = prepare(questions, options, options.dedupe ?? true);
  const { first, second } = splitQuestions(kept, options.ratio, options.seed);
  await checkSides(options);
  const { ratio, seed, minDifficulty, maxDifficulty, kinds } = options;
  const provenance = {
    made: 'split',
    sources: [{ name: basename(options.file), sha256: digest, url: null }],
    options: { ratio, seed, dedupe: options.dedupe ?? true, minDifficulty, maxDifficulty, kinds },
  };
  return {
    first: await writeQuestions(options.out[0], first, { ...provenance, made: 'split, the share' }, options.overwrite),
    second: await writeQuestions(options.out[1], second, { ...provenance, made: 'split, the rest' }, options.overwrite),
    duplicates: dropped,
    alike: findContamination(first, second).length,
  };
}

/** Before the first one is written: a share without its rest is of no use. */
async function checkSides({ out, overwrite }: SplitOptions): Promise<void> {
  const [share, rest] = out;
  if (resolve(share) === resolve(rest)) {
    throw new DomainError('InvalidInput', `both sides would go to '${share}': give the rest a file of its own`, {
      path: share,
    });
  }
  for (const path of out) await checkTarget(path, overwrite);
}

export interface MixOptions extends QuestionFilter {
  sources: readonly { file: string; weight: number }[];
  /** Questions in the mix; without it as many as the shares allow. */
  total?: number | undefined;
  seed: string;
  out: string;
  /** Drop copies within and across sources, the first source winning. On by default. */
  dedupe?: boolean | undefined;
  overwrite?: boolean | undefined;
}

export interface MixReport extends WrittenQuestions {
  /** How many questions each source gave. */
  from: readonly { file: string; count: number }[];
  duplicates: number;
}

export async function mixQuestionsFiles(options: MixOptions): Promise<MixReport> {
  if (options.sources.length === 0)
    throw new DomainError('InvalidInput', 'nothing to mix: name at least one FILE:WEIGHT');
  const loaded = await Promise.all(options.sources.map(({ file }) => loadQuestionsFile(file)));
  const owner = new Map<Question, string>();
  loaded.forEach(({ questions }, i) => questions.forEach((question) => owner.set(question, options.sources[i]!.file)));
  const { kept, dropped } = prepare(
    loaded.flatMap(({ questions }) => questions),
    options,
    options.dedupe ?? true,
  );
  const sources = options.sources.map(({ file, weight }) => ({
    name: file,
    weight,
    questions: kept.filter((question) => owner.get(question) === file),
  }));
  const mixed = mixQuestions(sources, options.total ?? null, options.seed);
  const { seed, total, minDifficulty, maxDifficulty, kinds } = options;
  const written = await writeQuestions(
    options.out,
    mixed,
    {
      made: 'mix',
      sources: options.sources.map(({ file }, i) => ({ name: basename(file), sha256: loaded[i]!.digest, url: null })),
      options: {
        weights: options.sources.map(({ weight }) => weight),
        seed,
        total,
        dedupe: options.dedupe ?? true,
        minDifficulty,
        maxDifficulty,
        kinds,
      },
    },
    options.overwrite,
  );
  const from = options.sources.map(({ file }) => ({
    file,
    count: mixed.filter((question) => owner.get(question) === file).length,
  }));
  return { ...written, from, duplicates: dropped };
}

function prepare(
  questions: readonly Question[],
  filter: QuestionFilter,
  dedupe: boolean,
): { kept: Question[]; dropped: number } {
  const filtered = filterQuestions(questions, filter);
  if (filtered.length === 0) {
    const kinds = [...new Set(questions.map(({ kind }) => kind ?? '(none)'))].slice(0, 10).join(', ');
    throw new DomainError(
      'InvalidInput',
      `the filter leaves none of ${questions.length} questions; kinds in the file: ${kinds}`,
    );
  }
  const result = dedupe ? dedupeQuestions(filtered) : { kept: filtered, dropped: [] };
  return { kept: result.kept, dropped: result.dropped.length };
}
