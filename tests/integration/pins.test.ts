/** A version that is measured while its run would prune it: it stays until the measurement is recorded, and goes then. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dropPins, pinVersion, unpin } from '../../activities/policy/pins.ts';
import { pruneBlobs } from '../../activities/prune-blobs.ts';
import type { Store } from '../../activities/store/connect.ts';
import type { PolicyDocument, StudyDocument } from '../../activities/store/documents.ts';
import { insertOnce } from '../../activities/store/write.ts';
import { storeSearch } from '../../cli/measure/search.ts';
import { studySchema } from '../../shared/config/study.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { studyWorkflowId, systemIdOfSearch } from '../../shared/domain/ids.ts';
import type { StudyPlan } from '../../shared/domain/study-plan.ts';
import { systemOf } from '../../shared/systems/registry.ts';
import type { SearchedSystem } from '../../shared/systems/system.ts';
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
  await trainTinyRun(servers, runId, ['seed=4711', 'evaluation.limit=2']);
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await judge.stop();
  await servers.close();
});

/** Version 1 is that between the initial one and the end of the cold start: nothing keeps it. */
const version = async (number = 1) => (await servers.store.policies.findOne({ runId, version: number }))!;
/** What the end of a much later iteration does. */
const prune = () => pruneBlobs(servers.store, runId, 9, { weights: 1, optimizer: 1 });
const pinsOf = ({ pins = [] }: PolicyDocument) => pins;

describe('a version that is measured', () => {
  it('by a question that somebody asks is not pruned meanwhile', async () => {
    const gpu = workers[1]!;
    process.kill(gpu.pid, 'SIGSTOP');
    const solved = metaagentx('solve', `${runId}@v1`, 'Tom has 3 pens and gets 4 more. How many pens?');
    await vi.waitFor(async () => expect(pinsOf(await version())).toEqual([expect.stringMatching(/^pinned\/solve-/)]), {
      timeout: 60_000,
    });
    expect(await prune()).toBe(0);
    process.kill(gpu.pid, 'SIGCONT');
    const { data, log } = await solved;
    expect(data.error, log).toBeUndefined();
    expect(pinsOf(await version())).toEqual([]);
  });

  it('by a study, and searched with by it, is not pruned before the study is recorded', async () => {
    const { store, client } = servers;
    const run = (await store.runs.findOne({ _id: runId }))!;
    const config = resolveTemporalConfig({});
    const studyId = 'pinned-study';
    const settings = { rounds: 1, questions: 2, calls: null };
    const system = systemOf('aflow') as SearchedSystem;
    const search = await storeSearch(store, config, run, 1, { system, budget: null, settings });
    const measurement = { name: 'study-aflow', system: systemIdOfSearch(search.searchId), search };
    const cells = [{ variant: 'aflow', seed: 0, system: 'aflow', runId, measurement }];
    const { queues, activities } = config;
    const plan: StudyPlan = { studyId, queues, activities, bases: [], cells, concurrentRuns: 1 };
    const study = studySchema.parse({ name: studyId, description: '', recipe: 'smoke', seeds: [0] });
    await insertOnce<StudyDocument>(store.studies, { _id: studyId, study, plan, status: 'running', cells: [] });
    const workflowId = studyWorkflowId(studyId);
    const held = judge.hold(new RegExp(`^${search.searchId}/`));
    const handle = await client.workflow.start('study', { workflowId, taskQueue: queues.control, args: [plan] });
    const failures = handle.result();
    await Promise.race([held.reached, failures]);
    for (const number of [1, 3]) expect(pinsOf(await version(number))).toEqual([workflowId]);
    // A run that goes on may have made more versions since.
    await store.policies.updateOne({ runId, version: 3 }, { $set: { keep: false } });
    expect(await prune()).toBe(0);
    held.release();
    expect(await failures).toEqual({});
    await store.policies.updateOne({ runId, version: 3 }, { $set: { keep: true } });
    for (const number of [1, 3]) expect(pinsOf(await version(number))).toEqual([]);
  });

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

  it('is not pruned where it is pinned after it was found to be old', async () => {
    const { store } = servers;
    const run = (await store.runs.findOne({ _id: runId }))!;
    await store.policies.updateOne({ runId, version: 2 }, { $set: { keep: false } });
    const updateOne: Store['policies']['updateOne'] = async (...given) => {
      await pinVersion(store, run, 2, `${runId}/eval-late`);
      return store.policies.updateOne(...given);
    };
    const policies = Object.assign(Object.create(store.policies) as Store['policies'], { updateOne });
    expect(await pruneBlobs({ ...store, policies }, runId, 9, { weights: 1, optimizer: 1 })).toBe(0);
    expect(await version(2)).toMatchObject({ keep: false, pins: [`${runId}/eval-late`] });
    expect(await version(2)).not.toHaveProperty('pruned');
    await unpin(store, runId, `${runId}/eval-late`);
    await store.policies.updateOne({ runId, version: 2 }, { $set: { keep: true } });
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
