/**
 * Searches and evaluations in a store that lost writes: the same command names what is missing, goes on from what is whole,
 * and ends with what it would have found.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rollBackSearch, surveySearch } from '../../activities/recovery/survey-search.ts';
import { runContexts } from '../../activities/run-context.ts';
import { advanceController } from '../../activities/systems/advance-controller.ts';
import { scoreCandidate } from '../../activities/systems/score-candidate.ts';
import { candidateId, searchStepId, systemIdOfSearch } from '../../shared/domain/ids.ts';
import { cloneRun, documentsOf, lossesAt, momentsOf, runCollections } from '../helpers/clone-run.ts';
import { metaagentx } from '../helpers/command-line.ts';
import { connectServers, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

const origin = 'searched';
const searches = [
  ['aflow', '4'],
  ['maas', '3'],
] as const;
type Searched = (typeof searches)[number][0];

let servers: TestServers;
let worker: WorkerProcess;
const found = new Map<Searched, Record<string, unknown>>();

beforeAll(async () => {
  servers = await connectServers();
  worker = await startWorkerProcess('all');
  await trainTinyRun(servers, origin);
  for (const [system] of searches) found.set(system, (await evaluate(origin, system)).data);
});
afterAll(async () => {
  await worker.stop();
  await servers.close();
});

function evaluate(runId: string, system: Searched) {
  const rounds = new Map(searches).get(system)!;
  const size = ['--search-rounds', rounds, '--search-questions', '3', '-k', '2', '--limit', '3'];
  return metaagentx('eval', `${runId}@v3`, '--system', system, ...size);
}

const searchOf = async (runId: string, system: Searched) => (await servers.store.searches.findOne({ runId, system }))!;

/** What a search tried and learned, the run's name left out. */
async function trace(runId: string, system: Searched): Promise<unknown> {
  const { _id: searchId, settings } = await searchOf(runId, system);
  const { store } = servers;
  const tried = await store.candidates.find({ searchId }).sort({ number: 1 }).toArray();
  const ids = Array.from({ length: settings.rounds + 1 }, (_, round) => searchStepId(searchId, round));
  const made = await store.systems
    .find({ _id: { $in: [...ids, systemIdOfSearch(searchId)] } })
    .sort({ _id: 1 })
    .toArray();
  return [
    tried.map(({ origin: how, script, score, cost, answerCost }) => ({ how, script, score, cost, answerCost })),
    made.map(({ source, search }) => ({ source, cost: search && { ...search, searchId: '' } })),
  ];
}

/** When the documents of a search and of the evaluation of what it found were made, one after another. */
async function momentsOfSearch(system: Searched): Promise<Date[]> {
  const { createdAt: from } = await searchOf(origin, system);
  const { createdAt: to } = (await servers.store.evaluations.findOne({ _id: String(found.get(system)!.id) }))!;
  return (await momentsOf(servers.store, origin)).filter((moment) => moment > from && moment <= to);
}

/** A search and the weights that it is done with stay. */
const mortal = runCollections.filter((name) => name !== 'searches' && name !== 'policies');

describe.each(searches)('a search by %s', (system) => {
  it('cut at 8 random moments: what is left is whole, answers nothing twice and makes no gap', async () => {
    const { store } = servers;
    const moments = await momentsOfSearch(system);
    let withLosses = 0;
    for (let cut = 0; cut < 8; cut++) {
      const runId = `${system}-cut-${cut}`;
      await cloneRun(store, origin, runId, lossesAt(moments, `${system}/${cut}`, mortal));
      const search = await searchOf(runId, system);
      const survey = await surveySearch(store, search);
      withLosses += survey.loss === null ? 0 : 1;
      if (survey.loss !== null) await rollBackSearch(store, search, survey);
      expect(await surveySearch(store, search)).toEqual({ rounds: survey.rounds, loss: null });
      const idOf = search.finds === 'pool' ? searchStepId : candidateId;
      for (let round = survey.rounds; survey.loss !== null && round <= search.settings.rounds; round++) {
        expect(await store.designs.countDocuments({ batchId: idOf(search._id, round) })).toBe(0);
        expect(await store.systems.countDocuments({ _id: idOf(search._id, round) })).toBe(0);
      }
      for (const { _id, score, refusal, sameAs } of await store.candidates.find({ searchId: search._id }).toArray()) {
        if (score === null || refusal !== null || sameAs !== null) continue;
        expect(await store.designs.countDocuments({ batchId: _id })).toBe(3);
        expect(score).toBeCloseTo((await store.verdicts.countDocuments({ batchId: _id, 'verdict.correct': true })) / 3);
      }
    }
    expect(withLosses).toBeGreaterThanOrEqual(5);
  });

  it('ended: no record of it goes unmissed, the last one neither', async () => {
    const runId = `${system}-ended`;
    await cloneRun(servers.store, origin, runId);
    const { store } = servers;
    const search = await searchOf(runId, system);
    expect((await surveySearch(store, search)).loss).toBeNull();
    const records = documentsOf(store, search.finds === 'pool' ? 'systems' : 'candidates');
    const ids = Array.from({ length: search.settings.rounds + 1 }, (_, round) =>
      (search.finds === 'pool' ? searchStepId : candidateId)(search._id, round),
    );
    const stored = await records.find({ _id: { $in: ids } }).toArray();
    expect(stored).toHaveLength(search.settings.rounds + (search.finds === 'pool' ? 1 : 0));
    for (const record of stored) {
      await records.deleteOne({ _id: record._id });
      expect(await surveySearch(store, search)).toEqual({ rounds: ids.indexOf(record._id), loss: record._id });
      await records.insertOne(record);
    }
  });

  it('named by the same command, which ends with the same system, cost and score', async () => {
    const runId = `${system}-lossy`;
    await cloneRun(servers.store, origin, runId);
    const search = await searchOf(runId, system);
    const batchId = (search.finds === 'pool' ? searchStepId : candidateId)(search._id, 0);
    await servers.store.verdicts.deleteOne({ batchId });
    const { code, data, log } = await evaluate(runId, system);
    expect(code, log).toBe(0);
    const loss = expect.stringMatching(/^1 of \d+ verdicts of /);
    expect((await searchOf(runId, system)).rollbacks).toMatchObject([{ rounds: 0, loss }]);
    expect(log).toMatch(/the store had lost 1 of \d+ verdicts of .+: going on after 0 rounds/);
    expect(await trace(runId, system)).toEqual(await trace(origin, system));
    expect(data.metrics).toEqual(found.get(system)!.metrics);
    expect((await evaluate(runId, system)).log).not.toMatch(/lost/);
  });
});

describe('a search under way', () => {
  it('scores no candidate by some of its answers', async () => {
    await cloneRun(servers.store, origin, 'partial');
    const { _id: searchId } = await searchOf('partial', 'aflow');
    const _id = candidateId(searchId, 0);
    await servers.store.candidates.updateOne({ _id }, { $set: { score: null } });
    const { store } = servers;
    await store.designs.deleteOne({ batchId: _id });
    await expect(scoreCandidate({ store }, { searchId, round: 0 })).rejects.toMatchObject({
      name: 'RecordConflict',
      message: `the store has lost 1 of 3 designs of ${_id}`,
    });
    expect((await store.candidates.findOne({ _id }))!.score).toBeNull();
  });

  it('moves no controller by some of its picks', async () => {
    const { store } = servers;
    const { _id: searchId } = await searchOf('partial', 'maas');
    await store.systems.deleteOne({ _id: searchStepId(searchId, 2) });
    const batchId = searchStepId(searchId, 1);
    await store.verdicts.deleteOne({ batchId });
    const deps = { store, runs: runContexts(store) };
    await expect(advanceController(deps, { searchId, round: 2 })).rejects.toMatchObject({
      name: 'RecordConflict',
      message: expect.stringMatching(/^the store has lost 1 of \d+ verdicts of /) as string,
    });
    expect(await store.systems.findOne({ _id: searchStepId(searchId, 2) })).toBeNull();
  });
});

describe('an evaluation', () => {
  it('that lost answers is measured again under its id; one that lost its record as well begins anew', async () => {
    const { store } = servers;
    await cloneRun(servers.store, origin, 'weighed');
    const id = String(found.get('aflow')!.id).replace(origin, 'weighed');
    await store.executions.deleteOne({ batchId: id });
    const again = await evaluate('weighed', 'aflow');
    expect(again.log).toMatch(/weighed\/eval-\S+: the store had lost 1 of \d+ executions: measuring it again/);
    expect(again.data).toMatchObject({ id, metrics: found.get('aflow')!.metrics });
    await store.evaluations.deleteOne({ _id: id });
    await store.designs.deleteOne({ batchId: id, outcome: 'valid' });
    const anew = await evaluate('weighed', 'aflow');
    expect(anew.log).toMatch(/the store had lost what \d+ documents belong to: answering what hung on it again/);
    expect(anew.data).toMatchObject({ id, metrics: found.get('aflow')!.metrics });
  });
});
