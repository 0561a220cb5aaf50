/**
 * An update whose gradients several gpu workers compute, on real servers: weights and moments are the same bits for one, two
 * and three workers, for three, four and eight shards, where a worker is killed in the middle of a shard, and where a repair does it
 * again in one place. Against an undivided update, which adds in another order, loss and gradient norm agree to rounding.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { repairWithOwnEngine } from '../../cli/repair-version.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import type { TemporalConfig } from '../../shared/config/temporal-config.ts';
import { connectServers, soonNoticed, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

let servers: TestServers;
let crashes: string;
const workers: WorkerProcess[] = [];
const addGpu = async () => void workers.push(await startWorkerProcess('gpu', { METAAGENTX_CRASH_POINTS: crashes }));

beforeAll(async () => {
  servers = await connectServers();
  crashes = await mkdtemp(join(tmpdir(), 'metaagentx-shards-'));
  workers.push(...(await Promise.all(['control', 'sandbox'].map((queue) => startWorkerProcess(queue)))));
  await addGpu();
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await servers.close();
  await rm(crashes, { recursive: true });
});

/** No cold start: random weights write no valid design, and the entropy term makes gradients of all designs. */
const settings = [
  'coldStart={"type":"none"}',
  'stages.first=designer',
  'stages.iterationsPerStage=2',
  'rollout.questionsPerIteration=4',
  'rollout.designsPerQuestion=4',
  'update.dropZeroAdvantage=false',
  'update.entropyCoef=0.01',
  'update.maxTokensPerMicroBatch=128',
];

async function versionsOf(runId: string) {
  const versions = await servers.store.policies.find({ runId }).sort({ version: 1 }).toArray();
  return versions.map(({ parts, metrics: { durationMs: _own, ...metrics } }) => ({
    weights: parts.shared!.weights,
    optimizer: parts.shared!.optimizer,
    metrics,
  }));
}

const train = (runId: string, shards: number, config?: TemporalConfig) =>
  trainTinyRun(servers, runId, [...settings, `update.gradientShards=${shards}`], { config });

/** Of the activities that computed shards, over all iterations. */
async function shardsOf(runId: string): Promise<{ count: number; attempts: number; workers: Set<string> }> {
  const found = { count: 0, attempts: 0, workers: new Set<string>() };
  for (const iteration of [1, 2]) {
    const handle = servers.client.workflow.getHandle(`${runId}/stage-01/iter-00${iteration}`);
    const { events } = await handle.fetchHistory();
    const scheduled = new Set<string>();
    for (const event of events ?? []) {
      const type = event.activityTaskScheduledEventAttributes?.activityType?.name;
      if (type === 'gradientShard') scheduled.add(String(event.eventId));
      const started = event.activityTaskStartedEventAttributes;
      if (started == null || !scheduled.has(String(started.scheduledEventId))) continue;
      found.count += 1;
      found.attempts += started.attempt ?? 1;
      found.workers.add(started.identity ?? '');
    }
  }
  return found;
}

it('one, two and three workers make the same bits', { timeout: 240_000 }, async () => {
  // Other test files have left blobs of their own in the same store.
  const others = new Set((await servers.store.blobs.list()).map(({ digest }) => digest));
  await train('shards-none', 1);
  const [, undivided] = await versionsOf('shards-none');
  expect((await shardsOf('shards-none')).count).toBe(0);

  await train('shards-on-one', 3);
  await addGpu();
  await train('shards-on-two', 4);
  await addGpu();
  await train('shards-on-three', 8);
  const versions = await versionsOf('shards-on-one');
  expect(new Set(versions.map(({ weights }) => weights)).size).toBe(3);
  for (const runId of ['shards-on-two', 'shards-on-three']) expect(await versionsOf(runId)).toEqual(versions);
  const { gradNorm, ...means } = undivided!.metrics;
  expect(versions[1]!.metrics).toEqual({ ...means, gradNorm: expect.any(Number) as number });
  expect(versions[1]!.metrics.gradNorm! / gradNorm!).toBeCloseTo(1, 4);

  expect(await shardsOf('shards-on-one')).toMatchObject({ count: 6, attempts: 6 });
  const three = await shardsOf('shards-on-three');
  expect(three.count).toBe(16);
  expect(three.workers.size).toBeGreaterThan(1);

  // Nothing but versions is left in the store: gradients went when their version was committed.
  const named = new Set<string>();
  for (const { parts, tokenizer } of await servers.store.policies.find().toArray()) {
    named.add(tokenizer);
    for (const { weights, base, optimizer } of Object.values(parts)) {
      for (const digest of [weights, base, optimizer]) if (digest != null) named.add(digest);
    }
  }
  const claimed = new Set((await servers.store.blobs.claims()).map(({ digest }) => digest));
  const blobs = (await servers.store.blobs.list()).map(({ digest }) => digest);
  expect(blobs.filter((digest) => !named.has(digest) && !claimed.has(digest) && !others.has(digest))).toEqual([]);
});

it(
  'a worker killed in the middle of a shard: another computes it, the bits are the same',
  { timeout: 240_000 },
  async () => {
    const training = train('shards-killed', 4, soonNoticed);
    while ((await servers.store.policies.findOne({ _id: 'shards-killed/v000000' })) === null)
      await new Promise((done) => setTimeout(done, 5));
    // The first blob that is stored from here on, after the rollouts, is a shard's gradients.
    await writeFile(join(crashes, 'blob-half-written'), '');
    await training;
    expect((await shardsOf('shards-killed')).attempts).toBeGreaterThan(8);
    expect(await versionsOf('shards-killed')).toEqual(await versionsOf('shards-on-one'));
  },
);

it('a repair makes a divided update again in one place', async () => {
  const { store } = servers;
  const { parts } = (await store.policies.findOne({ _id: 'shards-killed/v000002' }))!;
  const { weights, optimizer } = parts.shared!;
  for (const digest of [weights, optimizer!]) expect(await store.blobs.remove(digest, async () => false)).toBe(true);
  const config = resolveTemporalConfig({});
  const { restored } = await repairWithOwnEngine(store, config, 'shards-killed@v2', new AbortController().signal);
  expect([...restored].sort()).toEqual([weights, optimizer].sort());
});
