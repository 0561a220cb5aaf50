/** A candidate's score from the verdicts of its answers, and what the search has taken so far. */
import { candidateId } from '../../shared/domain/ids.ts';
import type { RoundCost, SearchRound } from '../../shared/domain/search-plan.ts';
import type { Store } from '../store/connect.ts';
import { checkAnswers, readCandidate, readSearch } from './read-search.ts';
import { addCosts, costOfBatches } from './search-cost.ts';

export async function scoreCandidate(
  { store }: { store: Store },
  { searchId, round }: SearchRound,
): Promise<RoundCost> {
  const id = candidateId(searchId, round);
  const candidate = await readCandidate(store, id);
  if (candidate.score === null) {
    await checkAnswers(store, await readSearch(store, searchId), id);
    const [asked, right, answerCost] = await Promise.all([
      store.designs.countDocuments({ batchId: id }),
      store.verdicts.countDocuments({ batchId: id, 'verdict.correct': true }),
      costOfBatches(store, [id]),
    ]);
    await store.candidates.updateOne({ _id: id }, { $set: { score: right / asked, answerCost } });
  }
  const all = await store.candidates.find({ searchId }, { projection: { cost: 1, answerCost: 1 } }).toArray();
  return { calls: addCosts(all.flatMap(({ cost, answerCost }) => [cost, answerCost])).calls };
}
