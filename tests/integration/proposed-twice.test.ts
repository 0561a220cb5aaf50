/**
 * A candidate of a search whose proposal was cut off, on a real store, by a policy that never says the same twice: what
 * answers is the script that is scored, wherever it was cut.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { rollBackSearch, surveySearch } from '../../activities/recovery/survey-search.ts';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import { insertOnce } from '../../activities/store/write.ts';
import { proposeCandidate } from '../../activities/systems/propose-candidate.ts';
import { readSearch } from '../../activities/systems/read-search.ts';
import { candidateId } from '../../shared/domain/ids.ts';
import { scriptedRun } from '../helpers/scripted-rollout.ts';
import type { ScriptedRun } from '../helpers/scripted-rollout.ts';

const runId = 'proposed-twice';
const { signal } = new AbortController();
let store: Store;
let run: ScriptedRun;
let said = 0;
beforeAll(async () => {
  store = await openStore({ uri: inject('stack').mongoUri, database: 'proposed-twice-cases' });
  run = await scriptedRun(store, runId, () => `return agent('${'add '.repeat(++said)}')`);
});
afterAll(async () => {
  await run.close();
  await store.close();
});

/** A search whose first candidate is scored; the second is the policy's. */
async function newSearch(name: string): Promise<string> {
  const searchId = `${runId}/search-${name}`;
  await insertOnce(store.searches, {
    _id: searchId,
    runId,
    system: 'aflow',
    policyVersion: 0,
    finds: 'script',
    settings: { rounds: 2, questions: 3, calls: null },
    budget: null,
    promptVersion: 1,
  });
  await proposeCandidate(run.deps, { searchId, round: 0 }, signal);
  const [_id, sameAs] = [candidateId(searchId, 0), null];
  await store.candidates.updateOne({ _id }, { $set: { score: 0, refusal: 'not asked', sameAs } });
  return searchId;
}

/** A process that dies in place of the insert after the first `inserts`. */
function dyingAfter(inserts: number): Pick<Store, 'candidates' | 'systems'> {
  let left = inserts;
  const mortal = <Collection extends object>(collection: Collection) =>
    new Proxy(collection, {
      get(target, name) {
        if (name === 'insertOne' && left-- <= 0) throw new Error('it died here');
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
  return { candidates: mortal(store.candidates), systems: mortal(store.systems) };
}

async function scriptsOf(searchId: string) {
  const _id = candidateId(searchId, 1);
  const [candidate, system] = [await store.candidates.findOne({ _id }), await store.systems.findOne({ _id })];
  expect(candidate).toMatchObject({ refusal: null, sameAs: null });
  return { scored: candidate!.script, answering: system!.source.type === 'script' ? system!.source.script : null };
}

const dying = (searchId: string, inserts: number) =>
  proposeCandidate({ ...run.deps, store: { ...store, ...dyingAfter(inserts) } }, { searchId, round: 1 }, signal);

describe('a proposal that was cut off', () => {
  it.each([0, 1, 2])('after %i inserts: the next attempt answers with the script that it scores', async (inserts) => {
    const searchId = await newSearch(`cut-${inserts}`);
    if (inserts < 2) await expect(dying(searchId, inserts)).rejects.toThrow('it died here');
    else await dying(searchId, inserts);
    expect(await proposeCandidate(run.deps, { searchId, round: 1 }, signal)).toEqual({ isNew: true });
    const { scored, answering } = await scriptsOf(searchId);
    expect(answering).toBe(scored);
  });

  it('between the two inserts, workflow and all: the round is rolled back and proposed anew', async () => {
    const searchId = await newSearch('ended');
    await expect(dying(searchId, 1)).rejects.toThrow('it died here');
    const search = await readSearch(store, searchId);
    const survey = await surveySearch(store, search);
    expect(survey).toEqual({ rounds: 1, loss: `the system of ${candidateId(searchId, 1)}` });
    await rollBackSearch(store, search, survey);
    expect(await proposeCandidate(run.deps, { searchId, round: 1 }, signal)).toEqual({ isNew: true });
    const { scored, answering } = await scriptsOf(searchId);
    expect(answering).toBe(scored);
    expect(await surveySearch(store, search)).toEqual({ rounds: 2, loss: null });
  });

  it('whose candidate the store has lost: its system answers with the new one’s script', async () => {
    const searchId = await newSearch('lost');
    await proposeCandidate(run.deps, { searchId, round: 1 }, signal);
    await store.candidates.deleteOne({ _id: candidateId(searchId, 1) });
    await proposeCandidate(run.deps, { searchId, round: 1 }, signal);
    const { scored, answering } = await scriptsOf(searchId);
    expect(answering).toBe(scored);
  });
});
