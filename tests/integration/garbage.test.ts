/**
 * Removing blobs beside writers, on a real store: what a committed version names is never gone, what a writer has claimed
 * stays, leftovers of writes that were cut off go.
 */
import { Binary, MongoClient, ObjectId } from 'mongodb';
import type { Db } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { initializePolicy } from '../../activities/initialize-policy.ts';
import { commitPolicy } from '../../activities/policy/commit.ts';
import { pruneBlobs } from '../../activities/prune-blobs.ts';
import { runContexts } from '../../activities/run-context.ts';
import { digestOf, heldForMs, openBlobs } from '../../activities/store/blobs.ts';
import { collectGarbage, isNeeded } from '../../activities/store/collect-garbage.ts';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import type { PolicyDocument, RunDocument } from '../../activities/store/documents.ts';
import type { Draft } from '../../activities/store/write.ts';
import { loadRecipe } from '../../cli/recipes.ts';
import { smallestDecoder } from '../helpers/smallest-decoder.ts';

let store: Store;
let client: MongoClient;
let db: Db;
beforeAll(async () => {
  const { mongoUri } = inject('stack');
  store = await openStore({ uri: mongoUri, database: 'garbage-cases' });
  client = await new MongoClient(mongoUri).connect();
  db = client.db('garbage-cases');
});
afterAll(async () => {
  await db.dropDatabase();
  await client.close();
  await store.close();
});

const bytesOf = (text: string) => new TextEncoder().encode(text);
const version = (runId: string, number: number, weights: string, optimizer: string | null = null) =>
  ({
    runId,
    version: number,
    parent: number === 0 ? null : number - 1,
    madeBy: 'test',
    decoder: smallestDecoder,
    tokenizer: 't',
    parts: { shared: { changedIn: number, weights, optimizer, optimizerStep: 0 } },
    metrics: {},
    keep: false,
  }) satisfies Omit<Draft<PolicyDocument>, '_id'>;

async function commit(runId: string, number: number, text: string): Promise<string> {
  const weights = await store.blobs.put(bytesOf(text), `${runId}/v${String(number).padStart(6, '0')}`);
  await commitPolicy(store, version(runId, number, weights));
  return weights;
}

describe('removal beside writers', () => {
  it('never takes what a committed version names, in 120 commits or more of 3 contents against 3 removers', async () => {
    let writing = true;
    let removed = 0;
    const digests = ['a', 'b', 'c'].map((text) => digestOf(bytesOf(text)));
    const remover = async () => {
      while (writing) {
        for (const digest of digests) {
          if (await store.blobs.remove(digest, () => isNeeded(store, digest))) removed += 1;
        }
      }
    };
    const writer = async (name: string) => {
      // On until the removers have done something: how far they come beside the writers is the machine's affair.
      for (let number = 0; number < 30 || removed <= 20; number++) {
        const text = 'abc'[(number + name.length) % 3]!;
        await commit(name, number, text);
        expect(Buffer.from(await store.blobs.get(digestOf(bytesOf(text)))).toString()).toBe(text);
        // Given up at once, so that the removers have something to do.
        await store.policies.updateOne({ runId: name, version: number }, { $set: { 'pruned.weights': true } });
      }
    };
    const removers = [remover(), remover(), remover()];
    await Promise.all(['w', 'ww', 'www', 'wwww'].map(writer));
    writing = false;
    await Promise.all(removers);
    expect(removed).toBeGreaterThan(20);
    for (const digest of digests) await store.blobs.remove(digest, async () => false);
    expect(await store.blobs.list()).toEqual([]);
    expect(await db.collection('weights.chunks').countDocuments()).toBe(0);
  });

  it('leaves a claimed blob until its claim goes', async () => {
    const digest = await store.blobs.put(bytesOf('claimed'), 'r/v000007');
    expect(await store.blobs.remove(digest, async () => false)).toBe(false);
    expect(Buffer.from(await store.blobs.get(digest)).toString()).toBe('claimed');
    await store.blobs.release('r/v000007');
    expect(await store.blobs.remove(digest, async () => false)).toBe(true);
    await expect(store.blobs.get(digest)).rejects.toMatchObject({ name: 'CheckpointMissing' });
  });

  it('leaves a blob that is claimed after it was condemned', async () => {
    const digest = await store.blobs.put(bytesOf('taken over'), 'r/v000008');
    await store.blobs.release('r/v000008');
    const claimed = () => store.blobs.claim(digest, 'fork/v000000');
    // The remover has seen no claim.
    expect(await store.blobs.remove(digest, async () => (await claimed(), false))).toBe(true);
    expect(Buffer.from(await store.blobs.get(digest)).toString()).toBe('taken over');
    await store.blobs.release('fork/v000000');
    await store.blobs.remove(digest, async () => false);
    await expect(claimed()).rejects.toMatchObject({ name: 'CheckpointMissing' });
    await store.blobs.release('fork/v000000');
  });
});

describe('pruning', () => {
  it('takes old versions, and neither kept, pinned nor shared ones', async () => {
    const weights: string[] = [];
    for (let number = 0; number < 6; number++)
      weights.push(await commit('p', number, `p ${number === 1 ? 5 : number}`));
    await store.policies.updateOne({ _id: 'p/v000000' }, { $set: { keep: true } });
    await store.policies.updateOne({ _id: 'p/v000002' }, { $addToSet: { pins: 'p/eval-x' } });
    // v1 has the content of v5: its record gives it up, the blob stays.
    expect(await pruneBlobs(store, 'p', 5, { weights: 2, optimizer: 2 })).toBe(1);
    const there = await Promise.all(weights.map((digest) => store.blobs.has(digest)));
    expect(there).toEqual([true, true, true, false, true, true]);
    await store.policies.updateOne({ _id: 'p/v000002' }, { $pull: { pins: 'p/eval-x' } });
    expect(await pruneBlobs(store, 'p', 5, { weights: 2, optimizer: 2 })).toBe(1);
    expect(await store.blobs.has(weights[2]!)).toBe(false);
  });
});

describe('a version that a new run begins with', () => {
  /** The run's first version, made while its origin is pruned: as the record of the origin is read, or before it is inserted. */
  async function begin(runId: string, at: 'findOne' | 'insertOne') {
    const weights = await commit(`${runId}-origin`, 0, `of ${runId}`);
    const tokenizer = await store.blobs.put(bytesOf('a tokenizer'), 'case');
    await store.policies.updateOne({ runId: `${runId}-origin` }, { $set: { tokenizer } });
    await store.blobs.release('case');
    const prune = () => pruneBlobs(store, `${runId}-origin`, 9, { weights: 1, optimizer: 1 });
    const init = { type: 'policy', runId: `${runId}-origin`, version: 0, moments: 'fresh' };
    const recipe = await loadRecipe({
      recipe: 'smoke',
      set: [`policy.init=${JSON.stringify(init)}`, 'coldStart={"type":"none"}'],
    });
    const policies = new Proxy(store.policies, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return async (...given: unknown[]) => {
          const isOrigin = JSON.stringify(given).includes(`${runId}-origin/`);
          if (name === 'insertOne') await (at === name && prune());
          const found: unknown = await member.apply(target, given);
          if (name === 'findOne' && isOrigin && at === name) await prune();
          return found;
        };
      },
    });
    const find = store.policies.find.bind(store.policies);
    const facing = { ...store, policies: Object.assign(Object.create(policies) as typeof policies, { find }) };
    const runs = { ...runContexts(store), run: async () => ({ recipe }) as RunDocument };
    return { weights, begun: initializePolicy({ store: facing, runs }, { runId }) };
  }

  it('has its weights, although the origin is pruned before the new record is there', async () => {
    const { weights, begun } = await begin('fork-late', 'insertOne');
    expect(await begun).toBe(0);
    expect(await store.policies.findOne({ _id: 'fork-late-origin/v000000' })).toMatchObject({
      pruned: { weights: true },
    });
    expect(Buffer.from(await store.blobs.get(weights)).toString()).toBe('of fork-late');
    expect((await store.blobs.claims()).filter(({ claimant }) => claimant.startsWith('fork-late'))).toEqual([]);
  });

  it('is refused by name where the origin is pruned before its blobs are claimed', async () => {
    const { begun } = await begin('fork-early', 'findOne');
    await expect(begun).rejects.toMatchObject({
      name: 'CheckpointMissing',
      message: expect.stringMatching(/the weights of fork-early-origin\/v000000 were pruned/) as string,
    });
    expect(await store.policies.findOne({ runId: 'fork-early' })).toBeNull();
    expect((await store.blobs.claims()).filter(({ claimant }) => claimant.startsWith('fork-early'))).toEqual([]);
  });
});

describe('gc', () => {
  it('removes leftovers and nothing else', async () => {
    const kept = await commit('g', 0, 'kept');
    const claimed = await store.blobs.put(bytesOf('under way'), 'g/v000001');
    const left = await store.blobs.put(bytesOf('left behind'), 'g/v000002');
    await store.blobs.release('g/v000002');
    // Two uploads that were cut off before their file: one of a claim that stands, one of nobody.
    const [open, lost] = [new ObjectId(), new ObjectId()];
    await db.collection<{ _id: string }>('claims').updateOne(
      { _id: `g/v000001 ${claimed}` },
      {
        $push: { uploads: open },
      },
    );
    for (const files_id of [open, lost]) {
      await db.collection('weights.chunks').insertOne({ files_id, n: 0, data: new Binary(bytesOf('half')) });
    }
    // A commit that died between its record and its release.
    await db
      .collection<{ _id: string }>('claims')
      .insertOne({ _id: 'stale', claimant: 'g/v000000', digest: kept, uploads: [] } as never);

    const bytes = 'left behind'.length;
    expect(await collectGarbage(store, { dryRun: true })).toMatchObject({ blobs: 1, bytes, claims: 1 });
    expect(await store.blobs.has(left)).toBe(true);
    expect(await collectGarbage(store, { dryRun: false })).toEqual({ blobs: 1, bytes, claims: 1, uploads: 1 });
    expect([await store.blobs.has(kept), await store.blobs.has(claimed), await store.blobs.has(left)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await db.collection('weights.chunks').countDocuments({ files_id: lost })).toBe(0);
    expect(await db.collection('weights.chunks').countDocuments({ files_id: open })).toBe(1);
    expect(await collectGarbage(store, { dryRun: false })).toEqual({ blobs: 0, bytes: 0, claims: 0, uploads: 0 });
  });
});

describe('a damaged blob', () => {
  it('is named, replaced by the same content only, and whole again', async () => {
    const digest = await store.blobs.put(bytesOf('precious'), 'd/v000000');
    const file = await db.collection('weights.files').findOne({ filename: digest });
    await db
      .collection('weights.chunks')
      .updateOne({ files_id: file!._id }, { $set: { data: new Binary(bytesOf('preciouz')) } });
    await expect(store.blobs.get(digest)).rejects.toMatchObject({ name: 'CheckpointCorrupt' });
    const restore = (text: string) => store.blobs.restore(digest, bytesOf(text), 'repair d');
    await expect(restore('other')).rejects.toMatchObject({ name: 'CheckpointCorrupt' });
    await restore('precious');
    expect(Buffer.from(await store.blobs.get(digest)).toString()).toBe('precious');
    expect(await db.collection('weights.files').countDocuments({ filename: digest })).toBe(1);
    await restore('precious');
    expect(await db.collection('weights.files').countDocuments({ filename: digest })).toBe(1);
    await store.blobs.release('d/v000000');
    expect(await collectGarbage(store, { dryRun: false })).toMatchObject({ blobs: 0 });
    await store.blobs.release('repair d');
    expect(await collectGarbage(store, { dryRun: false })).toMatchObject({ blobs: 1 });
  });
});

describe('what a repair holds', () => {
  type Claims = { _id: string; until: Date };
  const claimed = () => db.collection<Claims>('claims');
  const lapse = (claimant: string) => claimed().updateMany({ claimant }, { $set: { until: new Date(Date.now() - 1) } });

  it('stays until it lets go', async () => {
    const digest = digestOf(bytesOf('held'));
    await store.blobs.restore(digest, bytesOf('held'), 'repair h');
    expect(await collectGarbage(store, { dryRun: false })).toMatchObject({ blobs: 0, claims: 0 });
    expect(Buffer.from(await store.blobs.get(digest)).toString()).toBe('held');
    await store.blobs.release('repair h');
    expect(await collectGarbage(store, { dryRun: false })).toMatchObject({ blobs: 1, claims: 0 });
  });

  it('goes when it died, and not while it says that it is at work', async () => {
    const digest = digestOf(bytesOf('left'));
    await store.blobs.restore(digest, bytesOf('left'), 'repair l');
    const { until } = (await claimed().findOne({ claimant: 'repair l' }))!;
    expect(until.getTime() - Date.now()).toBeGreaterThan(heldForMs - 60_000);
    // Cut off in the middle of another copy.
    const files_id = new ObjectId();
    await db.collection('claims').updateOne({ claimant: 'repair l' }, { $push: { uploads: files_id } } as never);
    await db.collection('weights.chunks').insertOne({ files_id, n: 0, data: new Binary(bytesOf('half')) });
    await lapse('repair l');
    await store.blobs.renew('repair l');
    expect(await collectGarbage(store, { dryRun: false })).toEqual({ blobs: 0, bytes: 0, claims: 0, uploads: 0 });
    await lapse('repair l');
    expect(await collectGarbage(store, { dryRun: true })).toMatchObject({ blobs: 1, bytes: 4, claims: 1 });
    expect(await collectGarbage(store, { dryRun: false })).toEqual({ blobs: 1, bytes: 4, claims: 1, uploads: 1 });
    expect(await store.blobs.has(digest)).toBe(false);
    expect(await store.blobs.claims()).not.toContainEqual(expect.objectContaining({ claimant: 'repair l' }));
  });

  it('goes too where an earlier program left it, which gave it no time', async () => {
    const digest = await store.blobs.put(bytesOf('old'), 'o/v000000');
    await store.blobs.release('o/v000000');
    const claim = { _id: 'old', claimant: `restore ${digest}`, digest, uploads: [] };
    await db.collection<{ _id: string }>('claims').insertOne(claim);
    expect(await collectGarbage(store, { dryRun: false })).toMatchObject({ blobs: 1, claims: 1 });
  });

  it('is whole, although its claim lapsed while it was written', async () => {
    const files = db.collection('weights.files');
    let written = 0;
    const insertOne: typeof files.insertOne = async (...given) => {
      written += 1;
      if (written === 1) {
        await lapse('repair s');
        await collectGarbage(store, { dryRun: false });
      }
      return files.insertOne(...given);
    };
    const own = Object.assign(Object.create(files) as typeof files, { insertOne });
    const collection = (name: string) => (name === 'weights.files' ? own : db.collection(name));
    const digest = digestOf(bytesOf('slow'));
    const facing = openBlobs(Object.assign(Object.create(db) as Db, { collection }));
    await facing.restore(digest, bytesOf('slow'), 'repair s');
    expect(written).toBe(2);
    expect(Buffer.from(await store.blobs.get(digest)).toString()).toBe('slow');
    expect(await files.countDocuments({ filename: digest })).toBe(1);
    await store.blobs.release('repair s');
  });
});

describe('a database of an earlier program', () => {
  it("gets today's validators and loses the index that would refuse today's calls", async () => {
    const old = client.db('garbage-old');
    await old.createCollection('calls', { validator: { $jsonSchema: { bsonType: 'object', required: ['sequence'] } } });
    await old.collection('calls').createIndex({ executionId: 1, sequence: 1 }, { unique: true });
    const opened = await openStore({ uri: inject('stack').mongoUri, database: 'garbage-old' });
    const call = (number: number) =>
      ({
        _id: `c-${number}`,
        executionId: 'e',
        call: number,
        runId: 'r',
        kind: 'model',
        hash: 'h',
        schemaVersion: 1,
      }) as never;
    await opened.calls.insertMany([call(0), call(1)]);
    await expect(opened.calls.insertOne({ _id: 'broken', schemaVersion: 1 } as never)).rejects.toThrow(/validation/i);
    expect((await old.collection('calls').indexes()).map(({ name }) => name)).not.toContain('executionId_1_sequence_1');
    await opened.close();
    await old.dropDatabase();
  });
});
