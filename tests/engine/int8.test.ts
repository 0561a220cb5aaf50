/**
 * Sampling with weights in 8 bits: what is computed against the float32 graph on weights rounded by hand, that log-probs are
 * those of what was sampled from, how far that is from the policy, and that both kinds of calls share a version.
 */
import { afterAll, expect, test } from 'vitest';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import type { GenerateRequest, Tensors } from '../../activities/runtime/engine/contract.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import { int8Linears, int8Tensors } from '../../shared/model/int8.ts';
import { adapterShapes, type LoraSpec } from '../../shared/model/lora.ts';
import { initialParameters } from '../../shared/model/parameters.ts';
import { buildPrefillGraph } from '../../shared/model/prefill-graph.ts';
import { createStream, fillNormal } from '../../shared/random.ts';
import { hasByteProducts } from '../helpers/byte-products.ts';
import { openGraph } from './onnx-run.ts';
import { wordTokenizer } from './tiny-tokenizer.ts';

const sizes = { vocabSize: 96, hiddenSize: 64, intermediateSize: 160, numLayers: 2, numHeads: 4, numKvHeads: 2 };
const kind = { headDim: 16, ropeTheta: 1e4, rmsNormEps: 1e-6, maxPositions: 256, attentionBias: true, qkNorm: true };
const config: DecoderConfig = { architecture: 'qwen3', ...sizes, ...kind, tieEmbeddings: true };
const draw = (name: string, length: number) => fillNormal(`int8/${name}`, new Float32Array(length), 1);
const parameters = initialParameters(config, draw, 0.2);
for (const [name, tensor] of parameters) if (name.endsWith('.bias')) tensor.set(draw(name, tensor.length));
const whole = new Map([...parameters].map(([name, tensor]) => [name, tensor.slice()]));

/** The linears as float32 numbers that 8 bits can hold. */
function roundedByHand(): Tensors {
  const rounded = new Map(whole);
  for (const [module, [out, width]] of int8Linears(config)) {
    const weight = whole.get(`${module}.weight`)!;
    const back = new Float32Array(weight.length);
    for (let row = 0; row < out; row++) {
      const entries = weight.subarray(row * width, (row + 1) * width);
      const unit = Math.max(...entries.map(Math.abs)) / 127;
      entries.forEach((value, k) => (back[row * width + k] = Math.round(value / unit) * unit));
    }
    rounded.set(`${module}.weight`, back);
  }
  return rounded;
}

const engines: LocalEngine[] = [];
afterAll(() => Promise.all(engines.map((engine) => engine.close())));
async function openEngine(decodeChunk?: number): Promise<LocalEngine> {
  const settings = { decodeThreads: 1, trainThreads: 1, spin: false, maxBatch: 32, maxPrefillTokens: 512, decodeChunk };
  const engine = new LocalEngine({ executionProvider: 'cpu', ...settings });
  engines.push(engine);
  const tokenizerJson = wordTokenizer(config.vocabSize);
  await engine.loadPolicy({ version: 'v', config, tokenizerJson, parameters: new Map(whole) });
  return engine;
}

const whereExact = test.skipIf(!hasByteProducts);

const stream = createStream('int8-prompts');
const requestOf = (call: number, weights?: GenerateRequest['weights']): GenerateRequest => ({
  version: 'v',
  promptIds: Int32Array.from({ length: 5 + (call % 30) }, (_, i) => stream.integer(100 * call + i, config.vocabSize)),
  sampling: { temperature: 1, topP: 1, topK: 0, minP: 0, maxTokens: 24, stopStrings: [] },
  seedKey: `int8-${call}`,
  stopTokenIds: [],
  weights,
});

/** Logits after every token of one sequence, [T, V]. */
async function logitsOf(ids: readonly number[], int8: boolean, weights: Map<string, Float32Array | Int8Array>) {
  const runner = await openGraph(buildPrefillGraph(config, { precision: int8 ? 'int8' : 'float32', weights }));
  const last = ids.map((_, t) => t);
  const table = whole.get('model.embed_tokens.weight')!;
  const rest = Object.fromEntries([...whole].filter(([name]) => !weights.has(name)));
  const dims = { B: 1, T: ids.length, L: ids.length };
  const { logits } = await runner.run({ ...rest, 'model.embed_tokens.weight': table, input_ids: [...ids], last }, dims);
  await runner.close();
  return Array.from(last, (t) => logits!.subarray(t * config.vocabSize, (t + 1) * config.vocabSize));
}

const logProbOf = (logits: Float32Array, id: number) => {
  const top = Math.max(...logits);
  return logits[id]! - top - Math.log(logits.reduce((sum, value) => sum + Math.exp(value - top), 0));
};
const spread = (values: readonly number[]) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

whereExact('computes what the float32 graph computes on weights rounded by hand, but for the activations', async () => {
  const ids = Array.from({ length: 40 }, (_, i) => (i * 37 + 11) % config.vocabSize);
  const own = await logitsOf(ids, true, int8Tensors(config, whole));
  // The table is looked up in float32: as the head alone it is rounded.
  const untied = roundedByHand();
  const head = untied.get('model.embed_tokens.weight')!;
  const separate = { ...config, tieEmbeddings: false };
  untied.set('model.embed_tokens.weight', whole.get('model.embed_tokens.weight')!).set('lm_head.weight', head);
  const runner = await openGraph(buildPrefillGraph(separate, { weights: untied }));
  const last = ids.map((_, t) => t);
  const { logits } = await runner.run({ input_ids: ids, last }, { B: 1, T: 40, L: 40 });
  await runner.close();
  const plain = (await logitsOf(ids, false, whole)).flatMap((row) => [...row]);
  const byHand = [...logits!];
  const flat = own.flatMap((row) => [...row]);
  const size = spread(plain);
  const fromHand = spread(flat.map((value, i) => value - byHand[i]!)) / size;
  const fromPlain = spread(flat.map((value, i) => value - plain[i]!)) / size;
  // Rounding weights and activations alike to 1/254 of the largest of about 64: each is worth about 1 % a linear.
  expect(fromHand).toBeLessThan(0.03);
  expect(fromPlain).toBeLessThan(0.04);
  expect(fromPlain).toBeGreaterThan(fromHand);
});

whereExact('gives the log-probs of what it samples from, which are near the policy’s own', async () => {
  const engine = await openEngine();
  const requests = Array.from({ length: 24 }, (_, call) => requestOf(call, 'int8'));
  const sampled = await Promise.all(requests.map((request) => engine.generate(request)));
  const sequences = sampled.map(({ tokenIds }, i) => ({ promptIds: requests[i]!.promptIds, responseIds: tokenIds }));
  const policy = await engine.logProbs({ version: 'v', sequences });
  const tensors = int8Tensors(config, whole);
  const fromOwn: number[] = [];
  const fromPolicy: number[] = [];
  for (const [i, { tokenIds, logProbs }] of sampled.entries()) {
    const prompt = requests[i]!.promptIds;
    const rows = await logitsOf([...prompt, ...tokenIds], true, tensors);
    tokenIds.forEach((id, t) => {
      fromOwn.push(Math.abs(logProbOf(rows[prompt.length - 1 + t]!, id) - logProbs[t]!));
      fromPolicy.push(Math.abs(policy[i]![t]! - logProbs[t]!));
    });
  }
  // Attention over a cache sums in another order, and an activation at a tie then rounds the other way.
  expect(mean(fromOwn)).toBeLessThan(2e-3);
  expect(mean(fromPolicy)).toBeGreaterThan(10 * mean(fromOwn));
  expect(mean(fromPolicy)).toBeLessThan(0.1);
});

whereExact('calls of both kinds share a version and do not disturb each other', async () => {
  const engine = await openEngine();
  const alone = await engine.generate(requestOf(1));
  const rounded = await engine.generate(requestOf(1, 'int8'));
  expect(rounded.logProbs).not.toEqual(alone.logProbs);
  const both = await Promise.all([requestOf(1), requestOf(1, 'int8')].map((request) => engine.generate(request)));
  expect(both).toEqual([alone, rounded]);
  await engine.unloadPolicy('v');
  expect(await engine.hasPolicy('v')).toBe(false);
});

whereExact('several tokens a graph run are those of one a run', async () => {
  const [single, chunked] = [await openEngine(), await openEngine(4)];
  const requests = Array.from({ length: 12 }, (_, call) => {
    const request = requestOf(call, 'int8');
    return { ...request, sampling: { ...request.sampling, temperature: 0 } };
  });
  const sampledBy = (engine: LocalEngine) => Promise.all(requests.map((request) => engine.generate(request)));
  const [one, four] = [await sampledBy(single), await sampledBy(chunked)];
  // Where the two best tokens are nearly alike, an activation that rounds the other way at a tie lets them change places.
  const same = one.filter(({ tokenIds }, call) => tokenIds.join() === four[call]!.tokenIds.join());
  expect(same.length).toBeGreaterThanOrEqual(8);
});

whereExact('adapters stay in float32 on weights in 8 bits', async () => {
  const engine = await openEngine();
  const lora: LoraSpec = { rank: 2, alpha: 4, targets: ['q_proj', 'down_proj'] };
  const tokenizerJson = wordTokenizer(config.vocabSize);
  const shapes = [...adapterShapes(config, lora)];
  const load = (version: string, deviation: number) => {
    const adapter = shapes.map(([name, [a, b]]) => [name, draw(name, a! * b!).map((x) => x * deviation)] as const);
    return engine.loadPolicy({
      version,
      config,
      tokenizerJson,
      parameters: new Map(adapter),
      adapts: { version: 'v', lora },
    });
  };
  await load('none', 0);
  await load('some', 0.3);
  const [base, none, some] = await Promise.all(
    ['v', 'none', 'some'].map((version) => engine.generate({ ...requestOf(2, 'int8'), version })),
  );
  expect(none).toEqual(base);
  expect(some!.logProbs).not.toEqual(base!.logProbs);
});

test.skipIf(hasByteProducts)('is refused by name where products of bytes are clipped', async () => {
  const engine = await openEngine();
  await expect(engine.generate(requestOf(1, 'int8'))).rejects.toThrow(
    expect.objectContaining({ name: 'UnsupportedOp', message: expect.stringContaining('rollout.weights=float32') }),
  );
});
