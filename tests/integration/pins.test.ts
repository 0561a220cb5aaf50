/** A version that is measured while its run would prune it: it stays until the measurement is recorded, and goes then. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dropPins, pinVersion } from '../../activities/policy/pins.ts';
import { pruneBlobs } from '../../activities/prune-blobs.ts';
import type { PolicyDocument } from '../../activities/store/documents.ts';
import { metaagentx } from '../helpers/command-line.ts';
import { startJudge } from '../helpers/judge.ts';
import type { Judge } from '../helpers/judge.ts';
import { connectServers, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

const runId = 'pinned';
let servers: TestServers;
let judge: Judge;
let workers: WorkerProcess[];
beforeAll(async () => {
  servers = await connectServers();
  judge = await startJudge(servers.store);
  workers = await Promise.all(['control', 'gpu'].map((queue) => startWorkerProcess(queue)));
  // Weights of its own: what another file's run has too would stay.
  await trainTinyRun(servers, runId, ['seed=4711']);
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await judge.stop();
  await servers.close();
});

/** The version between the initial one and the end of the cold start: nothing keeps it. */
const version = async () => (await servers.store.policies.findOne({ runId, version: 1 }))!;
/** What the end of a much later iteration does. */
const prune = () => pruneBlobs(servers.store, runId, 9, { weights: 1, optimizer: 1 });
const pinsOf = ({ pins = [] }: PolicyDocument) => pins;

describe('a version that is measured', () => {
  it('is not pruned meanwhile, and may be afterwards', async () => {
    const { store } = servers;
    const { weights } = (await version()).parts.shared!;
    const argv = ['eval', `${runId}@v1`, '-k', '1', '--limit', '2', '--system', 'aflow'];
    const held = judge.hold(/^pinned\/search-aflow/);
    const measured = metaagentx(...argv, '--search-rounds', '2', '--search-questions', '2');
    await Promise.race([held.reached, measured]);
    expect(pinsOf(await version())).toEqual([
      expect.stringMatching(/^pinned\/eval-/),
      expect.stringMatching(/^pinned\/search-aflow/),
    ]);
    expect(await prune()).toBe(0);
    held.release();
    expect((await measured).code, (await measured).log).toBe(0);
    expect(pinsOf(await version())).toEqual([]);
    expect(await store.blobs.has(weights)).toBe(true);
    expect(await prune()).toBeGreaterThan(0);
    expect(await store.blobs.has(weights)).toBe(false);
    const refused = await metaagentx('eval', `${runId}@v1`, '-k', '1', '--limit', '1');
    expect([refused.code, refused.data.error.message]).toEqual([3, expect.stringMatching(/v000001 were pruned/)]);
  });

  it('is refused by name where it was pruned after it was looked up', async () => {
    const { store } = servers;
    const run = (await store.runs.findOne({ _id: runId }))!;
    await expect(pinVersion(store, run, 1, `${runId}/eval-late`)).rejects.toMatchObject({
      name: 'CheckpointMissing',
      message: expect.stringMatching(/the weights of pinned\/v000001 were pruned/) as string,
    });
    await expect(pinVersion(store, run, 99, `${runId}/eval-late`)).rejects.toMatchObject({ name: 'StoreBehind' });
    expect(await store.policies.countDocuments({ runId, 'pins.0': { $exists: true } })).toBe(0);
  });

  it('gives up pins whose measurements were, and none beside one that runs', async () => {
    const { store } = servers;
    const run = (await store.runs.findOne({ _id: runId }))!;
    const isRunning = async (pin: string) => pin === 'runs';
    // Other test files may have left pins in the same store.
    const others = await dropPins(store, isRunning, { dryRun: true });
    for (const [number, pin] of [
      [2, 'given-up'],
      [3, 'next'],
      [3, 'runs'],
    ] as const)
      await pinVersion(store, run, number, pin);
    const pins = async () => (await store.policies.find({ runId }).sort({ version: 1 }).toArray()).map(pinsOf).slice(2);
    expect(await dropPins(store, isRunning, { dryRun: true })).toBe(others + 1);
    expect(await pins()).toEqual([['given-up'], ['next', 'runs']]);
    expect(await dropPins(store, isRunning, { dryRun: false })).toBe(others + 1);
    expect(await pins()).toEqual([[], ['next', 'runs']]);
    const { data } = await metaagentx('gc');
    expect(data.pins).toBeGreaterThanOrEqual(2);
    expect(await pins()).toEqual([[], []]);
  });
});
