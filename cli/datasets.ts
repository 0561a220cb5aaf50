/**
 * The questions of a run, complete and checked before anything starts: from files, or from the toy generator. A dataset
 * is named by the SHA-256 of its canonical lines, so equal content is one dataset whatever file held it.
 */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { loadQuestionsFile } from '../activities/questions/load-questions.ts';
import type { QuestionSource, Recipe } from '../shared/config/recipe.ts';
import type { Question } from '../shared/domain/question.ts';
import { DomainError } from '../shared/errors.ts';
import { questionLine } from '../shared/questions/written.ts';
import { generateToyQuestions } from '../shared/toy/questions.ts';
import type { ToySplit } from '../shared/toy/questions.ts';
import { fitting, promptRoomOf } from './prompt-room.ts';
import type { PromptRoom } from './prompt-room.ts';
import { counted } from './view/numbers.ts';

export interface Dataset {
  digest: string;
  /** What the reader knows it by. */
  name: string;
  questions: readonly Question[];
  provenance: unknown;
}

export interface RunDatasets {
  train: Dataset;
  heldOut: Dataset;
  /** What the user should know about the choice. */
  notes: string[];
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

export const datasetOf = (name: string, questions: readonly Question[], provenance: unknown): Dataset => ({
  digest: sha256(questions.map((question) => `${questionLine(question)}\n`).join('')),
  name,
  questions,
  provenance,
});

/** One share in five of a file without a held-out file of its own. */
const heldOutShare = 0.2;

/**
 * Divides questions by their content: those whose digests come last are held out, at least one. The order within each
 * part stays, and a question's part does not depend on where in the file it stands.
 */
export function splitQuestions(questions: readonly Question[]): { train: Question[]; heldOut: Question[] } {
  const ordered = questions.map((question) => ({ question, key: sha256(questionLine(question)) }));
  ordered.sort((a, b) => (a.key < b.key ? -1 : 1));
  const count = Math.max(1, Math.floor(questions.length * heldOutShare));
  const last = new Set(ordered.slice(-count).map(({ question }) => question));
  return {
    train: questions.filter((question) => !last.has(question)),
    heldOut: questions.filter((question) => last.has(question)),
  };
}

/**
 * The recipe with its question sources replaced by files of the command line. Without a held-out file, both sources name
 * the same file, which `loadDatasets` then divides.
 */
export function withQuestionFiles(recipe: Recipe, questions: string | undefined, heldOut: string | undefined): Recipe {
  if (questions === undefined && heldOut === undefined) return recipe;
  const file = (path: string): QuestionSource => ({ type: 'file', path });
  const train = questions === undefined ? recipe.questions.train : file(questions);
  const held = heldOut ?? questions;
  return { ...recipe, questions: { train, heldOut: held === undefined ? recipe.questions.heldOut : file(held) } };
}

/**
 * Throws `InvalidInput`: `file:line: field: reason` for a malformed line, or where questions do not fit the policy's
 * context and `skipLong` does not leave them out.
 */
export async function loadDatasets(recipe: Recipe, skipLong = false): Promise<RunDatasets> {
  const { train, heldOut } = recipe.questions;
  const room = await promptRoomOf(recipe);
  const notes: string[] = [];
  const fit: Fit = (questions, source) => {
    if (room === null) return [...questions];
    const { questions: kept, note } = fitting(questions, room, recipe, source, skipLong);
    if (note !== null) notes.push(note);
    return kept;
  };
  if (train.type === 'file' && heldOut.type === 'file' && train.path === heldOut.path) {
    const whole = await load(train, recipe.seed, 'train', fit);
    const parts = divided(whole, train.path);
    return { ...parts, notes: [...notes, ...parts.notes] };
  }
  const datasets = {
    train: await load(train, recipe.seed, 'train', fit),
    heldOut: await load(heldOut, recipe.seed, 'held-out', fit),
  };
  return { ...datasets, notes: [...notes, ...overlapNote(datasets.train, datasets.heldOut)] };
}

/** The same for datasets whose model was not known when they were loaded; `notes` are the new ones. */
export function fittedDatasets(
  datasets: RunDatasets,
  room: PromptRoom,
  recipe: Recipe,
  skipLong: boolean,
): RunDatasets {
  const notes: string[] = [];
  const fit = (dataset: Dataset): Dataset => {
    const { name, questions, provenance } = dataset;
    const { questions: kept, note } = fitting(questions, room, recipe, name, skipLong);
    if (note === null) return dataset;
    notes.push(note);
    return datasetOf(name, kept, { made: 'fit', of: dataset.digest, source: provenance });
  };
  return { train: fit(datasets.train), heldOut: fit(datasets.heldOut), notes };
}

/** The questions that the policy can be asked. */
type Fit = (questions: readonly Question[], source: string) => Question[];

function divided(whole: Dataset, path: string): RunDatasets {
  if (whole.questions.length < 2) {
    throw new DomainError(
      'InvalidInput',
      `'${path}' holds one question: expected at least 2, because one in five is held out for evaluation; or give --held-out FILE`,
      { path },
    );
  }
  const { train, heldOut } = splitQuestions(whole.questions);
  const part = (name: string, questions: Question[]) =>
    datasetOf(`${whole.name} (${name})`, questions, {
      made: 'split',
      part: name,
      of: whole.digest,
      source: whole.provenance,
    });
  return {
    train: part('train', train),
    heldOut: part('held-out', heldOut),
    notes: [
      `no held-out file given: ${counted(train.length, 'question')} of ${basename(path)} train, ` +
        `${heldOut.length} are held out (chosen by content, the same every time)`,
    ],
  };
}

async function load(source: QuestionSource, seed: number, split: ToySplit, fit: Fit): Promise<Dataset> {
  if (source.type === 'toy') {
    const seedKey = `${seed}/questions`;
    const questions = fit(generateToyQuestions({ seedKey, count: source.count, split }), `toy (${split})`);
    return datasetOf(`toy (${split})`, questions, { made: 'toy generator', seedKey, split, count: source.count });
  }
  const loaded = await loadQuestionsFile(source.path);
  const { limit } = source;
  const chosen = limit === undefined ? loaded.questions : loaded.questions.slice(0, limit);
  const questions = fit(chosen, basename(source.path));
  return datasetOf(basename(source.path), questions, {
    ...loaded.provenance,
    ...(limit === undefined ? {} : { limit }),
    ...(questions.length === chosen.length ? {} : { leftOut: chosen.length - questions.length }),
  });
}

/** Held-out questions that are trained on measure memory, not ability. */
function overlapNote(train: Dataset, heldOut: Dataset): string[] {
  const texts = new Set(train.questions.map(({ text }) => text));
  const shared = heldOut.questions.filter(({ text }) => texts.has(text)).length;
  return shared === 0
    ? []
    : [`warning: ${counted(shared, 'held-out question')} also in the training questions; avg@k will look too good`];
}
