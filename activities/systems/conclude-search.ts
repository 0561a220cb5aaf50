/** What a search found, as the system that answers: its best script, or its last controller picking greedily. */
import { searchStepId, systemIdOfSearch } from '../../shared/domain/ids.ts';
import type { ModelCost } from '../../shared/domain/usage.ts';
import { DomainError } from '../../shared/errors.ts';
import { bestOf } from '../../shared/systems/search.ts';
import type { DesignSource } from '../../shared/systems/source.ts';
import { unpin } from '../policy/pins.ts';
import type { Store } from '../store/connect.ts';
import { insertOnce } from '../store/write.ts';
import { readCandidates, readSearch } from './read-search.ts';
import { addCosts, costOfBatches } from './search-cost.ts';

/** `rounds`: those that were run. */
export async function concludeSearch(
  { store }: { store: Store },
  { searchId, rounds }: { searchId: string; rounds: number },
): Promise<{ system: string }> {
  const search = await readSearch(store, searchId);
  const { runId, system, budget, finds } = search;
  const { source, cost } = await (finds === 'pool' ? lastController : bestScript)(store, searchId, rounds);
  const id = systemIdOfSearch(searchId);
  await insertOnce(store.systems, { _id: id, runId, system, source, budget, search: { searchId, rounds, ...cost } });
  await unpin(store, runId, searchId);
  return { system: id };
}

interface Found {
  source: DesignSource;
  cost: ModelCost;
}

async function bestScript(store: Store, searchId: string, rounds: number): Promise<Found> {
  const best = bestOf(await readCandidates(store, searchId, rounds));
  if (best === undefined) {
    throw new DomainError('InvalidInput', `search '${searchId}' found no script that may run in ${rounds} rounds`, {
      searchId,
    });
  }
  const all = await store.candidates.find({ searchId }, { projection: { cost: 1, answerCost: 1 } }).toArray();
  const cost = addCosts(all.flatMap((candidate) => [candidate.cost, candidate.answerCost]));
  return { source: { type: 'script', script: best.script }, cost };
}

async function lastController(store: Store, searchId: string, rounds: number): Promise<Found> {
  const last = await store.systems.findOne({ _id: searchStepId(searchId, rounds) });
  if (last?.source.type !== 'pool') {
    throw new DomainError('RecordConflict', `search '${searchId}' has no controller after ${rounds} rounds`, {
      searchId,
    });
  }
  const steps = Array.from({ length: rounds }, (_, step) => searchStepId(searchId, step));
  return { source: { ...last.source, draws: false }, cost: await costOfBatches(store, steps) };
}
