/** A search and its candidates from the database. */
import { DomainError } from '../../shared/errors.ts';
import type { Candidate } from '../../shared/systems/search.ts';
import { missingAnswers } from '../recovery/survey-search.ts';
import type { Store } from '../store/connect.ts';
import type { CandidateDocument, SearchDocument } from '../store/documents.ts';

/** Throws `RecordConflict`. */
export async function readSearch(store: Store, searchId: string): Promise<SearchDocument> {
  const found = await store.searches.findOne({ _id: searchId });
  if (found !== null) return found;
  throw new DomainError('RecordConflict', `search '${searchId}' is not in the store`, { searchId });
}

/** A round is judged by all its answers: throws `RecordConflict` where the store has lost some. */
export async function checkAnswers(store: Store, search: SearchDocument, batchId: string): Promise<void> {
  const missing = await missingAnswers(store, search, batchId);
  if (missing === null) return;
  throw new DomainError('RecordConflict', `the store has lost ${missing} of ${batchId}`, { batchId, missing });
}

/** Throws `RecordConflict`. */
export async function readCandidate(store: Store, id: string): Promise<CandidateDocument> {
  const found = await store.candidates.findOne({ _id: id });
  if (found !== null) return found;
  throw new DomainError('RecordConflict', `candidate '${id}' is not in the store`, { id });
}

/** The first `count` candidates, in order. Throws `RecordConflict` where one is missing or has no score yet. */
export async function readCandidates(store: Store, searchId: string, count: number): Promise<Candidate[]> {
  const found = await store.candidates
    .find({ searchId, number: { $lt: count } })
    .sort({ number: 1 })
    .toArray();
  return Array.from({ length: count }, (_, number) => {
    const candidate = found[number];
    if (candidate?.number !== number || candidate.score === null) {
      throw new DomainError('RecordConflict', `candidate ${number} of '${searchId}' has no score`, {
        searchId,
        number,
      });
    }
    const { parent, origin, script, refusal, score } = candidate;
    return { number, parent, origin, script, refusal, score };
  });
}
