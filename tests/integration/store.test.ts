/** The store against a real server: insert-once, group commit, validators, blobs. The same cases fit any MongoDB. */
import { Binary, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { commitPolicy } from '../../activities/policy/commit.ts';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import type { CallDocument, PolicyDocument } from '../../activities/store/documents.ts';
import { storeFailure } from '../../activities/store/failure.ts';
import { GroupCommit } from '../../activities/store/group-commit.ts';
import { pack, unpackFloats, unpackInts } from '../../activities/store/packed.ts';
import { insertAllOnce, insertOnce } from '../../activities/store/write.ts';
import type { Draft } from '../../activities/store/write.ts';
import { smallestDecoder } from '../helpers/smallest-decoder.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore({ uri: inject('stack').mongoUri, database: 'store-cases' });
});
afterAll(() => store.close());

const credit = (id: string, advantage: number) => ({
  _id: id,
  runId: 'r',
  batchId: 'r/b',
  rolloutId: 'r/b/q',
  role: 'executor' as const,
  reward: 1,
  baseline: 0.5,
  advantage,
  group: 'g',
  groupSize: 2,
});

const call = (number: number): Draft<CallDocument> => ({
  _id: `x/c-${number}`,
  runId: 'r',
  batchId: 'r/b',
  executionId: 'x',
  call: number,
  attempt: 'test',
  kind: 'model',
  hash: 'h',
  nodePath: 'n',
  agentName: 'a',
  agentPart: 'agent',
  messages: [],
  answer: { text: 't', answer: null, promptTokens: 1, responseTokens: 1, status: 'ok' },
  tokenIds: pack(new Int32Array([number, -7])),
  logProbs: pack(new Float32Array([-0.25, Number.NEGATIVE_INFINITY])),
});

describe('insert-once', () => {
  it('keeps the first document', async () => {
    expect(await insertOnce(store.credits, credit('one', 0.5))).toBe(true);
    expect(await insertOnce(store.credits, credit('one', 9))).toBe(false);
    expect((await store.credits.findOne({ _id: 'one' }))?.advantage).toBe(0.5);
  });

  it('adds what is missing of many', async () => {
    await insertAllOnce(store.credits, [credit('m1', 1), credit('m2', 2)]);
    await insertAllOnce(store.credits, [credit('m2', 7), credit('m3', 3)]);
    const found = await store.credits
      .find({ _id: { $in: ['m1', 'm2', 'm3'] } })
      .sort({ _id: 1 })
      .toArray();
    expect(found.map(({ advantage }) => advantage)).toEqual([1, 2, 3]);
  });

  it('refuses a document without its required fields', async () => {
    const broken = { ...credit('broken', 1), reward: 'high' } as unknown as ReturnType<typeof credit>;
    await expect(insertOnce(store.credits, broken)).rejects.toThrow(/validation/i);
    expect(await store.credits.findOne({ _id: 'broken' })).toBeNull();
  });
});

describe('a database that another version made', () => {
  const made = async (title: string) => {
    const { mongoUri: uri } = inject('stack');
    const database = `store-cases-${title.replace(' ', '-')}`;
    const client = await new MongoClient(uri).connect();
    const db = client.db(database);
    // Its creator was killed before it made the indexes.
    await db.createCollection('credits', { validator: { $jsonSchema: { title, required: ['formerField'] } } });
    const opened = await openStore({ uri, database });
    return { opened, close: () => Promise.all([opened.close(), client.close()]) };
  };

  it('gets the validators and indexes of this one', async () => {
    const { opened, close } = await made('schema 0');
    expect(await insertOnce(opened.credits, credit('one', 0.5))).toBe(true);
    const keys = (await opened.credits.indexes()).map(({ key }) => Object.keys(key as object).join());
    expect(keys.sort()).toEqual(['_id', 'batchId,role', 'rolloutId']);
    await close();
  });

  it('keeps the validators of a newer one', async () => {
    const { opened, close } = await made('schema 999');
    await expect(insertOnce(opened.credits, credit('one', 0.5))).rejects.toMatchObject({ code: 121 });
    await close();
  });
});

describe('the journal', () => {
  it('takes 300 concurrent calls, each durable when its promise resolves, exact to the bit', async () => {
    const journal = new GroupCommit(store.calls);
    await Promise.all(Array.from({ length: 300 }, (_, number) => journal.add(call(number))));
    const found = await store.calls.find({ executionId: 'x' }).sort({ call: 1 }).toArray();
    expect(found.map(({ call: number }) => number)).toEqual(Array.from({ length: 300 }, (_, number) => number));
    expect([...unpackInts(found[299]!.tokenIds!)]).toEqual([299, -7]);
    expect([...unpackFloats(found[0]!.logProbs!)]).toEqual([-0.25, Number.NEGATIVE_INFINITY]);
  });

  it.each([
    ['no BSON', (each: ReturnType<typeof call>) => ({ ...each, tool: { 'a\u0000b': 1 } as never })],
    ['against the form', (each: ReturnType<typeof call>) => ({ ...each, call: 'seven' as never })],
  ])('refuses a call that is %s alone, and says which stood before', async (what, spoilt) => {
    const of = (number: number) => ({ ...call(number), _id: `${what}/${number}`, executionId: what });
    const journal = new GroupCommit(store.calls);
    await journal.add(of(2));
    const drafts = [of(0), spoilt(of(1)), of(2), of(3)];
    const outcomes = await Promise.allSettled(drafts.map((draft) => journal.add(draft)));
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'refused'))).toEqual([
      true,
      'refused',
      false,
      true,
    ]);
    expect(storeFailure((outcomes[1] as PromiseRejectedResult).reason)).toBe('refused');
    expect(await store.calls.countDocuments({ executionId: what })).toBe(3);
  });
});

/** Flips a byte of the blob's stored chunk, as a bad disk would. */
async function damage(digest: string): Promise<void> {
  const client = await new MongoClient(inject('stack').mongoUri).connect();
  const db = client.db('store-cases');
  const file = await db.collection('weights.files').findOne({ filename: digest });
  await db
    .collection('weights.chunks')
    .updateOne({ files_id: file!._id }, { $set: { data: new Binary(Buffer.from([1, 2, 4])) } });
  await client.close();
}

describe('blobs', () => {
  const bytes = new Uint8Array(9 << 20).map((_, index) => (index * 31) & 255);

  it('stores content once, by digest, over chunk borders', async () => {
    const digest = await store.blobs.put(bytes, 'case');
    expect(await store.blobs.put(bytes, 'case')).toBe(digest);
    expect((await store.blobs.list()).filter((blob) => blob.digest === digest)).toHaveLength(1);
    expect(Buffer.compare(await store.blobs.get(digest), bytes)).toBe(0);
  });

  it('takes and gives content in pieces', async () => {
    const pieces = function* () {
      for (let at = 0; at < bytes.length; at += 1_000_003) yield bytes.subarray(at, at + 1_000_003);
    };
    const digest = await store.blobs.put(pieces, 'case');
    expect(digest).toBe(await store.blobs.put(bytes, 'case'));
    let seen = 0;
    const count = await store.blobs.read(digest, (size) => ({
      push: (piece) => void (seen += piece.length),
      finish: () => [size, seen],
    }));
    expect(count).toEqual([bytes.length, bytes.length]);
  });

  it('names a missing and a damaged blob', async () => {
    await expect(store.blobs.get('0'.repeat(64))).rejects.toMatchObject({ name: 'CheckpointMissing' });
    const digest = await store.blobs.put(new Uint8Array([1, 2, 3]), 'case');
    await damage(digest);
    await expect(store.blobs.get(digest)).rejects.toMatchObject({ name: 'CheckpointCorrupt' });
  });
});

describe('committing a policy version', () => {
  const version = (weights: string): Omit<Draft<PolicyDocument>, '_id'> => ({
    runId: 'p',
    version: 1,
    parent: 0,
    madeBy: 'test',
    decoder: smallestDecoder,
    tokenizer: 't',
    parts: { shared: { changedIn: 1, weights, optimizer: null, optimizerStep: 0 } },
    metrics: {},
    keep: false,
  });

  beforeAll(async () => {
    await commitPolicy(store, { ...version('zero'), version: 0, parent: null });
  });

  it('accepts a retry and refuses another writer', async () => {
    await commitPolicy(store, version('a'));
    await commitPolicy(store, version('a'));
    await expect(commitPolicy(store, version('b'))).rejects.toMatchObject({ name: 'PolicyVersionConflict' });
    expect((await store.policies.findOne({ _id: 'p/v000001' }))?.parts.shared?.weights).toBe('a');
  });

  it('lets exactly one of twenty writers win', async () => {
    const racing = Array.from({ length: 20 }, (_, index) =>
      commitPolicy(store, { ...version(`w${index}`), version: 2, parent: 1 }),
    );
    const results = await Promise.allSettled(racing);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('names a store that has lost the parent', async () => {
    const orphan = commitPolicy(store, { ...version('a'), version: 9, parent: 8 });
    await expect(orphan).rejects.toMatchObject({ name: 'StoreBehind', data: { version: 8, newest: 2 } });
    expect(await store.policies.findOne({ _id: 'p/v000009' })).toBeNull();
  });
});
