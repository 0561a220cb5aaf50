/**
 * LoRA from end to end: PEFT's folder goes in and comes out, an adapter a role learns while its base stays one blob, a run
 * goes on from adapters, and a merged export is the policy that the run had.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pruneBlobs } from '../../activities/prune-blobs.ts';
import { readTensors, mergedWeights } from '../../activities/policy/merged-weights.ts';
import { storedVersion } from '../../activities/policy/stored-version.ts';
import { decodeSafetensors } from '../../shared/model/checkpoint/safetensors.ts';
import { checkWeights } from '../../cli/lost-writes.ts';
import { metaagentx } from '../helpers/command-line.ts';
import { connectServers, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';

let servers: TestServers;
let folder: string;
const place = (name: string) => join(folder, name);
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const weightsIn = async (directory: string, file: string) => decodeSafetensors(await readFile(join(directory, file)));
const json = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;

beforeAll(async () => {
  servers = await connectServers();
  folder = await mkdtemp(join(tmpdir(), 'adapters-'));
});
afterAll(async () => {
  await servers.close();
  await rm(folder, { recursive: true });
});

describe("PEFT's folder", () => {
  const peft = fixture('peft/qwen3-all-linear');

  it('goes in on its base and comes out with the same tensors and settings', async () => {
    await metaagentx('policy', 'import', fixture('checkpoints/qwen3-f32'), '--name', 'peft-base');
    const imported = await metaagentx('policy', 'import', peft, '--name', 'peft', '--base', 'peft-base@v0');
    expect(imported).toMatchObject({ code: 0, data: { policy: 'peft/v000000', inserted: true } });
    const base = await storedVersion(servers.store, 'peft-base@v0');
    expect(imported.data.base).toBe(base.parts.shared!.weights);
    expect((await metaagentx('policy', 'import', peft, '--name', 'peft', '--base', 'peft-base')).data.inserted).toBe(
      false,
    );
    expect((await metaagentx('policy', 'export', 'peft@v0', place('peft'))).code).toBe(0);
    const [out, source] = await Promise.all(
      [place('peft'), peft].map((directory) => weightsIn(directory, 'adapter_model.safetensors')),
    );
    expect(out).toEqual(new Map([...source!].sort(([a], [b]) => (a < b ? -1 : 1))));
    const settings = ['r', 'lora_alpha', 'use_rslora', 'peft_type', 'task_type', 'bias', 'target_modules'];
    const of = async (directory: string) => {
      const config = await json(join(directory, 'adapter_config.json'));
      return settings.map((key) => (key === 'target_modules' ? (config[key] as string[]).slice().sort() : config[key]));
    };
    expect(await of(place('peft'))).toEqual(await of(peft));
    const shown = await metaagentx('policy', 'show', 'peft');
    expect(shown.data.lora).toMatchObject({ rank: 4, alpha: 6 });
  });

  it('is refused by name where it does not fit', async () => {
    const change = async (key: string, value: unknown) => {
      await rm(place('bad'), { recursive: true, force: true });
      await cp(peft, place('bad'), { recursive: true });
      const config = await json(join(peft, 'adapter_config.json'));
      await writeFile(join(place('bad'), 'adapter_config.json'), JSON.stringify({ ...config, [key]: value }));
      const { code, data } = await metaagentx('policy', 'import', place('bad'), '--base', 'peft-base');
      return { code, ...(data.error as { name: string; message: string }) };
    };
    expect(await change('use_dora', true)).toMatchObject({ name: 'UnsupportedModel', message: /use_dora is true/ });
    expect(await change('rank_pattern', { q_proj: 2 })).toMatchObject({ message: /rank_pattern is/ });
    expect(await change('target_modules', 'all-linear')).toMatchObject({ message: /target_modules is "all-linear"/ });
    expect(await change('r', 5)).toMatchObject({ name: 'ShapeMismatch', message: /make it \[5, 16\]/ });
    expect(await change('target_modules', ['q_proj'])).toMatchObject({ message: /is no part of the adapter/ });
    const without = await metaagentx('policy', 'import', peft);
    expect([without.code, without.data.error.message]).toEqual([2, expect.stringMatching(/with --base NAME@v0/)]);
    const onAdapter = await metaagentx('policy', 'import', peft, '--name', 'again', '--base', 'peft');
    expect(onAdapter.data.error.message).toMatch(/has adapters itself: expected one set of whole weights/);
  });
});

describe('weights that a run is to go on from', () => {
  it('are missing where what an adapter is put on is gone', async () => {
    const { store } = servers;
    const from = { policyVersion: 0, coldStartChunks: 0, iterations: [], evaluations: {} };
    await checkWeights(store, 'peft', from);
    const { base } = (await storedVersion(store, 'peft@v0')).parts.shared!;
    const bytes = await store.blobs.get(base!);
    await store.blobs.remove(base!, async () => false);
    await expect(checkWeights(store, 'peft', from)).rejects.toMatchObject({
      name: 'CheckpointMissing',
      message: expect.stringContaining(base!),
    });
    await store.blobs.put(bytes, 'peft-base/v000000');
    await store.blobs.release('peft-base/v000000');
    await checkWeights(store, 'peft', from);
  });
});

describe('a split policy on adapters', () => {
  const lora = { rank: 4, alpha: 8, targets: ['q_proj', 'v_proj', 'down_proj'] };

  it('learns one adapter a role on one base; the adapters go on, and merge into a folder', async () => {
    const { store } = servers;
    const worker = await startWorkerProcess('all');
    const set = [
      'policy.layout=split',
      `policy.lora=${JSON.stringify(lora)}`,
      'coldStart.steps=40',
      'update.dropZeroAdvantage=false',
      'update.entropyCoef=0.01',
      'update.klCoef=0.01',
    ];
    await trainTinyRun(servers, 'split', [...set, 'stages.first=designer']);
    const versions = await Promise.all([0, 1, 2, 3].map((version) => storedVersion(store, `split@v${version}`)));
    const [first, , cold, last] = versions as [
      (typeof versions)[0],
      unknown,
      (typeof versions)[0],
      (typeof versions)[0],
    ];
    const bases = versions.flatMap(({ parts }) => Object.values(parts).map(({ base }) => base));
    expect(new Set(bases).size).toBe(1);
    expect(first.parts.designer!.weights).toBe(first.parts.executor!.weights);
    expect(cold.parts.designer!.weights).not.toBe(cold.parts.executor!.weights);
    // The Designer learned; the Executor's adapter is the one before.
    expect(last.parts.executor).toEqual(cold.parts.executor);
    expect(last.parts.designer!.weights).not.toBe(cold.parts.designer!.weights);
    expect(last.metrics.designerMaxLogProbGap).toBeLessThan(1e-4);
    // A quarter of a megabyte of base is stored once, whatever is pruned.
    expect((await readTensors(store, last.parts.designer!.weights)).size).toBe(2 * 2 * lora.targets.length);
    await pruneBlobs(store, 'split', 9, { weights: 1, optimizer: 1 });
    expect(await store.blobs.has(bases[0]!)).toBe(true);

    // Another run begins with these adapters, as they are, and with their merged weights.
    const learned = await metaagentx('policy', 'export', 'split@v3', place('merged'), '--part', 'designer', '--merged');
    expect(learned.code).toBe(0);
    const merged = await mergedWeights(store, last.decoder, last.lora!, last.parts.designer!);
    expect(await weightsIn(place('merged'), 'model.safetensors')).toEqual(
      new Map([...merged].sort(([a], [b]) => (a < b ? -1 : 1))),
    );
    const init = JSON.stringify({ type: 'policy', runId: 'split', version: 3 });
    const none = ['coldStart={"type":"none"}', 'update.entropyCoef=0.01', 'update.dropZeroAdvantage=false'];
    const begin = [...none, 'policy.layout=split', 'stages.first=designer', `policy.init=${init}`];
    await trainTinyRun(servers, 'goes-on', begin);
    const next = await storedVersion(store, 'goes-on@v1');
    expect(next.lora).toEqual(last.lora);
    expect(next.parts.designer!.weights).not.toBe(last.parts.designer!.weights);
    expect(next.parts.executor!.weights).toBe(last.parts.executor!.weights);
    expect(next.parts.designer!.base).toBe(bases[0]);
    await worker.stop();
  });
});
