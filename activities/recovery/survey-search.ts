/**
 * How much of a search is whole: its rounds from the first on, each made from those before it. From the first round in
 * which something is missing, everything is to be done again.
 */
import { candidateId, searchStepId, systemIdOfSearch } from '../../shared/domain/ids.ts';
import { picksPerQuestion } from '../../shared/systems/maas.ts';
import type { SearchDocument } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';
import { hasDocuments, looseEndOf, whatIsMissing } from './batch-wholeness.ts';
import { removeBatch } from './roll-back.ts';

export interface SearchSurvey {
  /** So many rounds, from the first on, are whole. */
  rounds: number;
  /** What the round after them lacks, in words; null for a search that has ended or was merely interrupted. */
  loss: string | null;
}

/** A candidate, or a step of a controller; its id is that of its answers' batch and of the system that gives them. */
interface Round {
  id: string;
  isRecorded: boolean;
  isAsked: boolean;
  hasSystem: boolean;
  /** Its answers were judged, and what follows was made from that. */
  isJudged: boolean;
}

interface Rounds {
  /** Newest that the store knows of; -1: none. */
  last: number;
  /** The system that was found is there: so must be everything up to `last`. */
  hasEnded: boolean;
  at(this: void, round: number): Round;
}

/** Answers of a round that are missing, in words; null: none is. */
export function missingAnswers(
  store: Store,
  { finds, settings }: Pick<SearchDocument, 'finds' | 'settings'>,
  batchId: string,
): Promise<string | null> {
  const designs = finds === 'pool' ? picksPerQuestion : 1;
  return whatIsMissing(store, batchId, { questions: settings.questions, designs, executions: 1, isTraining: false });
}

export async function surveySearch(store: Store, search: SearchDocument): Promise<SearchSurvey> {
  const { last, hasEnded, at } = await readRounds(store, search);
  // Of rounds after the last there may be answers whose record is lost.
  for (let round = 0; round <= search.settings.rounds; round++) {
    const loss = await lossOf(store, search, at(round), hasEnded ? round <= last : round < last);
    if (loss !== null) return { rounds: round, loss };
  }
  return { rounds: last + 1, loss: null };
}

/** Takes out what comes after the whole rounds: cut off at any moment, it leaves what the next survey finds. */
export async function rollBackSearch(store: Store, search: SearchDocument, { rounds }: SearchSurvey): Promise<void> {
  await store.systems.deleteOne({ _id: systemIdOfSearch(search._id) });
  const idOf = search.finds === 'pool' ? searchStepId : candidateId;
  const beyond = Array.from({ length: search.settings.rounds + 1 - rounds }, (_, back) =>
    idOf(search._id, search.settings.rounds - back),
  );
  for (const _id of beyond) {
    await store.candidates.deleteOne({ _id });
    await store.systems.deleteOne({ _id });
  }
  for (const batchId of beyond) await removeBatch(store, batchId);
}

/** `isOver`: something was made from the round. */
async function lossOf(store: Store, search: SearchDocument, round: Round, isOver: boolean): Promise<string | null> {
  const { id, isRecorded, isAsked, hasSystem, isJudged } = round;
  if (!isRecorded) return isOver || (await hasDocuments(store, id)) ? id : null;
  if (!isAsked) return null;
  if (!hasSystem) return `the system of ${id}`;
  if (isOver && !isJudged) return `the score of ${id}`;
  const missing = isJudged ? await missingAnswers(store, search, id) : await looseEndOf(store, id);
  return missing === null ? null : `${missing} of ${id}`;
}

async function readRounds(store: Store, { _id: searchId, runId, finds }: SearchDocument): Promise<Rounds> {
  const asked = { projection: { search: 1 } };
  const systems = new Map((await store.systems.find({ runId }, asked).toArray()).map((each) => [each._id, each]));
  const ended = systems.get(systemIdOfSearch(searchId))?.search?.rounds;
  return finds === 'pool' ? stepsAmong(systems, searchId, ended) : candidatesOf(store, systems, searchId, ended);
}

/** A search of `ended` steps has the controller after the last one as well. */
function stepsAmong(systems: ReadonlyMap<string, unknown>, searchId: string, ended = -1): Rounds {
  const prefix = searchStepId(searchId, 0).slice(0, -'000'.length);
  const steps = [...systems.keys()].filter((id) => id.startsWith(prefix)).map((id) => Number(id.slice(prefix.length)));
  const last = Math.max(ended, ...steps);
  return {
    last,
    hasEnded: ended >= 0,
    at(round) {
      const id = searchStepId(searchId, round);
      const isThere = systems.has(id);
      return { id, isRecorded: isThere, hasSystem: isThere, isAsked: round !== ended, isJudged: round < last };
    },
  };
}

async function candidatesOf(
  store: Store,
  systems: ReadonlyMap<string, unknown>,
  searchId: string,
  ended = 0,
): Promise<Rounds> {
  const projection = { number: 1, refusal: 1, sameAs: 1, score: 1 };
  const candidates = await store.candidates.find({ searchId }, { projection }).toArray();
  const byNumber = new Map(candidates.map((candidate) => [candidate.number, candidate]));
  const last = Math.max(ended - 1, ...byNumber.keys());
  return {
    last,
    hasEnded: ended > 0,
    at(round) {
      const id = candidateId(searchId, round);
      const candidate = byNumber.get(round);
      const isAsked = candidate?.refusal === null && candidate.sameAs === null;
      const isJudged = typeof candidate?.score === 'number';
      return { id, isRecorded: candidate !== undefined, isAsked, hasSystem: systems.has(id), isJudged };
    },
  };
}
