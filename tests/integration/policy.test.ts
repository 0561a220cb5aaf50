/**
 * Policies between Hugging Face folders and the store, as the user types it: what transformers saved goes in and comes
 * out bit for bit, a run begins with a folder or with what was imported, and what it learned comes out again.
 */
import { cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportPolicy } from '../../activities/policy/export-policy.ts';
import { openFolder } from '../../activities/policy/huggingface/open-folder.ts';
import { rawPieces } from '../../activities/policy/huggingface/tensor-pieces.ts';
import { storedVersion } from '../../activities/policy/stored-version.ts';
import type { PolicyDocument } from '../../activities/store/documents.ts';
import { metaagentx } from '../helpers/command-line.ts';
import { connectServers, trainTinyRun } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

let servers: TestServers;
let folder: string;
const place = (name: string) => join(folder, name);
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/checkpoints/${name}`, import.meta.url));

beforeAll(async () => {
  servers = await connectServers();
  folder = await mkdtemp(join(tmpdir(), 'policy-'));
});
afterAll(async () => {
  await servers.close();
  await rm(folder, { recursive: true });
});

/** Every tensor's dtype, shape and bytes, and the text of every other file. */
async function contentOf(directory: string): Promise<Record<string, string>> {
  const { tensors, sideFiles } = await openFolder(directory);
  const content: Record<string, string> = { ...Object.fromEntries(sideFiles.texts) };
  for (const tensor of tensors.values()) {
    const pieces: Uint8Array[] = [];
    for await (const piece of rawPieces(tensor)) pieces.push(piece);
    content[tensor.name] = `${tensor.dtype} ${tensor.shape.join()} ${Buffer.concat(pieces).toString('base64')}`;
  }
  return content;
}

/** Other test files may have claims of their own in the same store. */
const claimsOf = async (name: string) =>
  (await servers.store.blobs.claims()).filter(({ claimant }) => claimant.startsWith(`${name}/`));

describe('a folder that transformers saved', () => {
  it.each(['qwen3-f32', 'qwen2-bf16-sharded', 'llama3-f16', 'llama-bias-tied', 'qwen3-bias-bf16'])(
    '%s goes in and comes out bit for bit',
    async (name) => {
      const imported = await metaagentx('policy', 'import', fixture(name));
      expect(imported).toMatchObject({ code: 0, data: { policy: `${name}/v000000`, inserted: true } });
      const exported = await metaagentx('policy', 'export', `${name}@v0`, place(name));
      expect(exported).toMatchObject({ code: 0, data: { part: 'shared', dtype: imported.data.dtype } });
      expect(await contentOf(place(name))).toEqual(await contentOf(fixture(name)));
      const again = await metaagentx('policy', 'import', place(name), '--name', name);
      expect(again).toMatchObject({ code: 0, data: { inserted: false, weights: imported.data.weights } });
      expect(await claimsOf(name)).toEqual([]);
    },
  );

  it('comes out in as many files as it is told, in another format if it is told', async () => {
    const policy = await storedVersion(servers.store, 'qwen2-bf16-sharded');
    const request = { policy, part: 'shared', directory: place('shards'), maxShardBytes: 12_000 } as const;
    const { files, dtype } = await exportPolicy(servers.store, { ...request, dtype: 'exact' });
    expect([files.filter((file) => file.endsWith('.safetensors')).length, dtype]).toEqual([3, 'BF16']);
    expect(await contentOf(place('shards'))).toEqual(await contentOf(fixture('qwen2-bf16-sharded')));
    const wide = await metaagentx('policy', 'export', 'qwen2-bf16-sharded', place('wide'), '--dtype', 'f32');
    expect(wide.data.dtype).toBe('F32');
    expect(JSON.parse(await readFile(join(place('wide'), 'config.json'), 'utf8')).dtype).toBe('float32');
    // Back to the narrower format: nothing was lost.
    await metaagentx('policy', 'import', place('wide'), '--name', 'wide');
    await metaagentx('policy', 'export', 'wide', place('narrow'), '--dtype', 'bf16');
    const [narrow, source] = [await contentOf(place('narrow')), await contentOf(fixture('qwen2-bf16-sharded'))];
    expect({ ...narrow, 'config.json': '' }).toEqual({ ...source, 'config.json': '' });
  });

  it('is shown before and after', async () => {
    const before = await metaagentx('policy', 'show', fixture('llama3-f16'));
    const after = await metaagentx('policy', 'show', 'llama3-f16@latest');
    const config = JSON.parse(await readFile(join(fixture('llama3-f16'), 'config.json'), 'utf8'));
    for (const { data } of [before, after]) {
      expect(data.decoder).toMatchObject({ architecture: 'llama', vocabSize: config.vocab_size, numLayers: 2 });
      expect(data.tokenizer.endOfTurn).toEqual(['<|end_of_text|>', '<|eot_id|>']);
    }
    expect(before.data).toMatchObject({ dtype: 'F16', shards: 1 });
    expect(after.data).toMatchObject({ madeBy: 'import', folder: { dtype: 'F16' }, parent: null });
    // embedding, head and norm, and of each layer 2 norms, q and o, k and v of half their width, and 3 of feed-forward
    const layer = 2 * 16 + 2 * 16 * 16 + 2 * 8 * 16 + 3 * 16 * 32;
    expect(after.data.parameters).toBe(2 * 16 * config.vocab_size + 16 + 2 * layer);
  });
});

describe('a run', () => {
  let worker: WorkerProcess;
  let weights: string;
  const weightsOf = (policy: PolicyDocument) => policy.parts.shared!.weights;
  beforeAll(async () => {
    worker = await startWorkerProcess('all');
    await trainTinyRun(servers, 'seedling', ['coldStart.steps=120']);
    weights = weightsOf(await storedVersion(servers.store, 'seedling@v2'));
  });
  afterAll(() => worker.stop());

  // With an entropy bonus every batch has a gradient, whatever its rewards.
  const learning = [
    'coldStart={"type":"none"}',
    'stages.first=designer',
    'update.dropZeroAdvantage=false',
    'update.entropyCoef=0.01',
  ];

  it('that began with random weights comes out as a folder that another begins with and learns from', async () => {
    expect((await metaagentx('policy', 'export', 'seedling@v2', place('grown'))).code).toBe(0);
    expect((await readdir(place('grown'))).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const init = { type: 'checkpoint', directory: place('grown'), maxPositions: 1024 };
    await trainTinyRun(servers, 'from-folder', [...learning, `policy.init=${JSON.stringify(init)}`]);
    const [first, second] = await Promise.all(
      [0, 1].map((version) => storedVersion(servers.store, `from-folder@v${version}`)),
    );
    expect(weightsOf(first!)).toBe(weights);
    expect(first!.decoder.maxPositions).toBe(1024);
    expect(second!.parts.shared).toMatchObject({ changedIn: 1, optimizerStep: 1 });
    expect(weightsOf(second!)).not.toBe(weights);
    expect(second!.metrics.gradNorm).toBeGreaterThan(0);
    expect(second!.metrics.maxLogProbGap).toBeLessThan(1e-4);
    expect(second!.folder).toEqual(first!.folder);

    await metaagentx('policy', 'export', 'from-folder@v1', place('learned'));
    const [learned, grown] = [await contentOf(place('learned')), await contentOf(place('grown'))];
    expect(Object.keys(learned)).toEqual(Object.keys(grown));
    expect(learned['tokenizer_config.json']).toBe(grown['tokenizer_config.json']);
    expect(learned['model.norm.weight']).not.toBe(grown['model.norm.weight']);
    expect(JSON.parse(learned['config.json']!)).toMatchObject({
      max_position_embeddings: 1024,
      torch_dtype: 'float32',
    });
  });

  it('begins with an imported policy, and only with questions that fit it', async () => {
    await metaagentx('policy', 'import', place('grown'), '--name', 'grown', '--max-positions', '900');
    const init = JSON.stringify({ type: 'policy', runId: 'grown', version: 0 });
    await trainTinyRun(servers, 'from-import', [...learning, `policy.init=${init}`]);
    const first = await storedVersion(servers.store, 'from-import@v0');
    expect([weightsOf(first), first.decoder.maxPositions, first.madeBy]).toEqual([weights, 900, 'initial']);

    const train = ['train', '--recipe', 'smoke', '--detach', '--set', `policy.init=${init}`];
    const tiny = JSON.stringify({ type: 'policy', runId: 'qwen3-f32', version: 0 });
    const long = await metaagentx(
      ...train,
      '--set',
      `policy.init=${tiny}`,
      '--set',
      'prompts.form=documented',
      '--set',
      learning[0]!,
    );
    expect(long.code).toBe(2);
    expect(long.data.error.message).toMatch(
      /32 questions of toy \(train\) do not fit the policy's context of 128 tokens/,
    );
    const absent = JSON.stringify({ type: 'policy', runId: 'grown', version: 4 });
    const none = await metaagentx(...train, '--set', `policy.init=${absent}`);
    expect(none.code).toBe(3);
    expect(none.data.error.message).toMatch(/grown\/v000004 was never committed; versions with weights: v0\. /);
    const named = await metaagentx(...train, '--run-id', 'grown');
    expect(named.code).toBe(2);
    expect(named.data.error.message).toContain("'grown' is the name of an imported policy");
  });

  it('is refused by name where its folder cannot be used', async () => {
    await cp(fixture('qwen3-f32'), place('broken'), { recursive: true });
    await cp(join(place('grown'), 'tokenizer.json'), join(place('broken'), 'tokenizer.json'));
    const set = `policy.init={"type":"checkpoint","directory":"${place('broken')}"}`;
    for (const argv of [
      ['train', '--recipe', 'smoke', '--set', set],
      ['policy', 'import', place('broken')],
    ]) {
      const { code, data } = await metaagentx(...argv);
      expect({ code, name: data.error.name }).toEqual({ code: 1, name: 'ShapeMismatch' });
      expect(data.error.message).toMatch(/the model's vocabulary \(vocab_size\) ends at/);
    }
  });

  it('lends its name to no import, and its files to no folder that is in use', async () => {
    const taken = await metaagentx('policy', 'import', place('grown'), '--name', 'seedling');
    expect(taken.data.error.message).toContain("'seedling' is the name of a run: choose another with --name");
    const other = await metaagentx('policy', 'import', place('learned'), '--name', 'grown');
    expect(other.data.error.message).toContain("'grown' is the name of another import");
    const full = await metaagentx('policy', 'export', 'seedling@latest', place('grown'));
    expect(full.data.error.message).toMatch(/is not empty: it holds/);
    const part = await metaagentx('policy', 'export', 'seedling@latest', place('new'), '--part', 'designer');
    expect(part.data.error.message).toMatch(/has no part 'designer': expected shared/);
    expect([taken.code, other.code, full.code, part.code]).toEqual([2, 2, 2, 2]);
    for (const name of ['seedling', 'grown']) expect(await claimsOf(name)).toEqual([]);
  });
});
