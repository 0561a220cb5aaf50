/**
 * LoRA against PEFT (tests/fixtures/peft/make.py): logits, loss, every adapter gradient, AdamW on adapters alone, and the
 * merged weights. Base weights are the checkpoint fixtures'.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openFolder } from '../../activities/policy/huggingface/open-folder.ts';
import { floatPieces } from '../../activities/policy/huggingface/tensor-pieces.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { loraOf, peftPrefix } from '../../shared/model/checkpoint/peft-config.ts';
import { decodeSafetensors } from '../../shared/model/checkpoint/safetensors.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import { buildGradientGraph } from '../../shared/model/gradient-graph.ts';
import { adaptedLinears, adapterShapes, loraNames, loraScale, mergeLinear } from '../../shared/model/lora.ts';
import type { LoraSpec } from '../../shared/model/lora.ts';
import { buildPrefillGraph } from '../../shared/model/prefill-graph.ts';
import { openGraph } from './onnx-run.ts';
import { wordTokenizer } from './tiny-tokenizer.ts';
import { relativeError, unpack, unpackAll } from './torch-fixture.ts';

interface Expected {
  base: string;
  promptIds: number[];
  logits: string;
  questionIds: number[];
  responseIds: number[];
  loss: number;
  gradients: Record<string, string>;
  losses: number[];
  trained: Record<string, string>;
}

const tolerance = 1e-5;
const place = (path: string) => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const json = (path: string): unknown => JSON.parse(readFileSync(place(path), 'utf8'));

interface Model {
  expected: Expected;
  config: DecoderConfig;
  lora: LoraSpec;
  base: Map<string, Float32Array>;
  adapter: Map<string, Float32Array>;
}

async function readModel(name: string): Promise<Model> {
  const expected = json(`peft/${name}/expected.json`) as Expected;
  const { decoder: config, tensors } = await openFolder(place(`checkpoints/${expected.base}`));
  const base = new Map<string, Float32Array>();
  for (const tensor of tensors.values()) {
    const pieces: Uint8Array[] = [];
    for await (const piece of floatPieces(tensor)) pieces.push(piece);
    base.set(tensor.name, new Float32Array(Uint8Array.from(Buffer.concat(pieces)).buffer));
  }
  const lora = loraOf(config, json(`peft/${name}/adapter_config.json`) as Record<string, unknown>);
  const stored = decodeSafetensors(readFileSync(place(`peft/${name}/adapter_model.safetensors`)));
  const adapter = new Map([...stored].map(([key, tensor]) => [key.slice(peftPrefix.length), tensor]));
  return { expected, config, lora, base, adapter };
}

/** Logits after each token of the prompt: a prefill's first logits for every beginning of it. */
async function logitsOf(
  config: DecoderConfig,
  lora: LoraSpec | null,
  parameters: ReadonlyMap<string, Float32Array>,
  ids: readonly number[],
): Promise<Float32Array> {
  const runner = await openGraph(buildPrefillGraph(config, { lora }));
  const feeds = {
    ...Object.fromEntries(parameters),
    input_ids: ids.flatMap(() => ids),
    last: ids.map((_, at) => at * ids.length + at),
  };
  const { logits } = await runner.run(feeds, { B: ids.length, T: ids.length, L: ids.length });
  await runner.close();
  return logits!;
}

describe.each(['qwen3-all-linear', 'llama3-rslora-head'])('%s against PEFT', (name) => {
  test('tensors have the names that PEFT gives', async () => {
    const { config, lora, adapter } = await readModel(name);
    const shapes = adapterShapes(config, lora);
    expect([...adapter.keys()].sort()).toEqual([...shapes.keys()].sort());
    for (const [key, shape] of shapes) expect(adapter.get(key)!.length, key).toBe(shape[0]! * shape[1]!);
  });

  test('logits, beside the base and merged into it', async () => {
    const { expected, config, lora, base, adapter } = await readModel(name);
    const wanted = unpack(expected.logits);
    const plain = await logitsOf(config, null, base, expected.promptIds);
    expect(relativeError(plain, wanted)).toBeGreaterThan(0.05);
    const beside = await logitsOf(config, lora, new Map([...base, ...adapter]), expected.promptIds);
    expect(relativeError(beside, wanted)).toBeLessThan(tolerance);
    const merged = new Map([...base].map(([key, tensor]) => [key, tensor.slice()]));
    for (const module of adaptedLinears(config, lora).keys()) {
      const { a, b } = loraNames(module);
      const settings = { rank: lora.rank, scale: loraScale(lora) };
      mergeLinear(merged.get(`${module}.weight`)!, adapter.get(a)!, adapter.get(b)!, settings);
    }
    expect(relativeError(await logitsOf(config, null, merged, expected.promptIds), wanted)).toBeLessThan(tolerance);
  });

  test('loss and the gradient of every adapter tensor, of nothing else', async () => {
    const { expected, config, lora, base, adapter } = await readModel(name);
    const { questionIds: question, responseIds: response } = expected;
    const built = buildGradientGraph(config, { loss: { type: 'sft' }, lora });
    expect(built.outputs.filter((output) => output.name.startsWith('grad.')).length).toBe(adapter.size);
    const ids = [...question, ...response.slice(0, -1)];
    const positions = response.map((_, at) => question.length - 1 + at);
    const feeds = {
      ...Object.fromEntries([...base, ...adapter]),
      input_ids: ids,
      positions,
      places: ids.map((_, at) => (at < question.length - 1 ? response.length : at - question.length + 1)),
      targets: response,
      weight: response.map(() => 1 / response.length),
    };
    const runner = await openGraph(built);
    const result = await runner.run(feeds, { B: 1, T: ids.length, N: response.length });
    await runner.close();
    expect(relativeError(result['loss']!, [expected.loss])).toBeLessThan(tolerance);
    for (const [key, wanted] of Object.entries(unpackAll(expected.gradients))) {
      expect(relativeError(result[`grad.${key}`]!, wanted), key).toBeLessThan(tolerance);
    }
  });

  test('five AdamW steps change the adapter as in PyTorch and leave the base alone', async () => {
    const { expected, config, lora, base, adapter } = await readModel(name);
    const options = { executionProvider: 'cpu', decodeThreads: 1, trainThreads: 1, spin: false } as const;
    const engine = new LocalEngine({ ...options, maxBatch: 4, maxPrefillTokens: 64 });
    const before = new Map([...base].map(([key, tensor]) => [key, tensor.slice()]));
    const tokenizerJson = wordTokenizer(config.vocabSize);
    await engine.loadPolicy({ version: 'base', config, tokenizerJson, parameters: base });
    await engine.loadPolicy({
      version: 'v0',
      config,
      tokenizerJson,
      parameters: adapter,
      adapts: { version: 'base', lora },
    });
    const { parameters, optimizer, metrics } = await engine.sft({
      baseVersion: 'v0',
      newVersion: 'v1',
      examples: [
        {
          id: 'only',
          promptIds: Int32Array.from(expected.questionIds),
          responseIds: Int32Array.from(expected.responseIds),
        },
      ],
      settings: {
        steps: 5,
        batchSize: 1,
        learningRate: 1e-2,
        finalLearningRate: 1e-2,
        schedule: 'constant',
        warmupSteps: 0,
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 1e-8,
        weightDecay: 0.1,
        maxGradNorm: 0.5,
        maxTokensPerMicroBatch: 64,
        orderKey: 'one',
      },
    });
    expect(relativeError(metrics.lossByStep, expected.losses)).toBeLessThan(tolerance);
    expect([...parameters.keys()].sort()).toEqual([...adapter.keys()].sort());
    expect([...optimizer.m.keys()].sort()).toEqual([...adapter.keys()].sort());
    for (const [key, wanted] of Object.entries(unpackAll(expected.trained))) {
      expect(relativeError(parameters.get(key)!, wanted), key).toBeLessThan(tolerance);
    }
    expect(base).toEqual(before);
    await engine.close();
  });
});

test.each(['pissa', 'pissa_niter_4', 'olora', 'corda', 'loftq'])(
  'an adapter on weights that %s changed',
  async (init) => {
    const { config } = await readModel('qwen3-all-linear');
    const adapter = json('peft/qwen3-all-linear/adapter_config.json') as Record<string, unknown>;
    expect(() => loraOf(config, { ...adapter, init_lora_weights: init })).toThrow(
      expect.objectContaining({ name: 'UnsupportedModel', message: expect.stringContaining(`is "${init}"; expected`) }),
    );
  },
);

describe('one base, several adapters', () => {
  const greedy = (version: string, promptIds: number[]) => ({
    version,
    promptIds: Int32Array.from(promptIds),
    sampling: { temperature: 0, topP: 1, topK: 0, minP: 0, maxTokens: 12, stopStrings: [] },
    seedKey: version,
    stopTokenIds: [],
  });

  test('each call is answered by its own adapter, and loading one shares the base', async () => {
    const { expected, config, lora, base, adapter } = await readModel('qwen3-all-linear');
    const options = { executionProvider: 'cpu', decodeThreads: 1, trainThreads: 1, spin: false } as const;
    const engine = new LocalEngine({ ...options, maxBatch: 4, maxPrefillTokens: 64 });
    const tokenizerJson = wordTokenizer(config.vocabSize);
    await engine.loadPolicy({ version: 'base', config, tokenizerJson, parameters: base });
    const halved = new Map([...adapter].map(([key, tensor]) => [key, tensor.map((value) => value / 2)]));
    const none = new Map([...adapter].map(([key, tensor]) => [key, tensor.map(() => 0)]));
    for (const [version, parameters] of Object.entries({ whole: adapter, halved, none })) {
      await engine.loadPolicy({ version, config, tokenizerJson, parameters, adapts: { version: 'base', lora } });
    }
    const versions = ['base', 'whole', 'halved', 'none'];
    const together = await Promise.all(versions.map((version) => engine.generate(greedy(version, expected.promptIds))));
    const texts = together.map(({ tokenIds }) => tokenIds.join());
    expect(texts[3]).toBe(texts[0]);
    expect(new Set(texts).size).toBe(3);
    for (const [i, version] of versions.entries()) {
      expect((await engine.generate(greedy(version, expected.promptIds))).tokenIds.join()).toBe(texts[i]);
    }
    await engine.close();
  });

  test('training on a base that is part of the graph gives what training on a base that is fed gives', async () => {
    const { expected, config, lora, base, adapter } = await readModel('qwen3-all-linear');
    const learnedWith = async (constantBase: boolean) => {
      const options = { executionProvider: 'cpu', decodeThreads: 1, trainThreads: 1, spin: false } as const;
      const engine = new LocalEngine({ ...options, maxBatch: 4, maxPrefillTokens: 64, constantBase });
      const source = { config, tokenizerJson: wordTokenizer(config.vocabSize) };
      const copy = (tensors: Map<string, Float32Array>) => new Map([...tensors].map(([k, x]) => [k, x.slice()]));
      await engine.loadPolicy({ version: 'base', ...source, parameters: copy(base) });
      const adapts = { version: 'base', lora };
      await engine.loadPolicy({ version: 'a', ...source, parameters: copy(adapter), adapts });
      const ids = Int32Array.from(expected.promptIds);
      const examples = [{ id: 'e', promptIds: ids.slice(0, 2), responseIds: ids.slice(2) }];
      const adam = { learningRate: 1e-3, beta1: 0.9, beta2: 0.99, epsilon: 1e-3, weightDecay: 0, maxGradNorm: 1 };
      const schedule = {
        steps: 4,
        batchSize: 1,
        warmupSteps: 0,
        schedule: 'constant',
        finalLearningRate: 1e-3,
      } as const;
      const settings = { ...adam, ...schedule, maxTokensPerMicroBatch: 64, orderKey: 'o' };
      const { parameters } = await engine.sft({ baseVersion: 'a', newVersion: 'b', examples, settings });
      await engine.close();
      return parameters;
    };
    const [fed, constant] = [await learnedWith(false), await learnedWith(true)];
    let moved = 0;
    for (const [key, tensor] of fed) {
      tensor.forEach((value, i) => {
        moved = Math.max(moved, Math.abs(value - adapter.get(key)![i]!));
        expect(Math.abs(constant.get(key)![i]! - value)).toBeLessThan(1e-6);
      });
    }
    expect(moved).toBeGreaterThan(1e-4);
  });

  test('adapters whose models differ in more than weights have graphs of their own', async () => {
    const { expected, config, lora, base, adapter } = await readModel('qwen3-all-linear');
    const logProbsWith = async (constantBase: boolean) => {
      const options = { executionProvider: 'cpu', decodeThreads: 1, trainThreads: 1, spin: false } as const;
      const engine = new LocalEngine({ ...options, maxBatch: 4, maxPrefillTokens: 64, constantBase });
      const tokenizerJson = wordTokenizer(config.vocabSize);
      await engine.loadPolicy({ version: 'base', config, tokenizerJson, parameters: base });
      const ids = Int32Array.from(expected.promptIds);
      const sequences = [{ id: 's', promptIds: ids.slice(0, 2), responseIds: ids.slice(2) }];
      const found = [];
      for (const ropeTheta of [config.ropeTheta, 500]) {
        const source = { config: { ...config, ropeTheta }, tokenizerJson, parameters: adapter };
        await engine.loadPolicy({ version: `a${ropeTheta}`, ...source, adapts: { version: 'base', lora } });
        found.push(...(await engine.logProbs({ version: `a${ropeTheta}`, sequences })));
      }
      await engine.close();
      return found;
    };
    const [fed, constant] = [await logProbsWith(false), await logProbsWith(true)];
    for (const [i, logProbs] of fed.entries())
      logProbs.forEach((value, t) => expect(constant[i]![t]).toBeCloseTo(value, 5));
    expect(Math.abs(fed[0]!.at(-1)! - fed[1]!.at(-1)!)).toBeGreaterThan(1e-3);
  });

  test('an adapter without its base, or of another shape, is refused by name', async () => {
    const { config, lora, base, adapter } = await readModel('qwen3-all-linear');
    const options = { executionProvider: 'cpu', decodeThreads: 1, trainThreads: 1, spin: false } as const;
    const engine = new LocalEngine({ ...options, maxBatch: 4, maxPrefillTokens: 64 });
    const source = { config, tokenizerJson: wordTokenizer(config.vocabSize) };
    const load = (spec: LoraSpec) =>
      engine.loadPolicy({ version: 'a', ...source, parameters: adapter, adapts: { version: 'base', lora: spec } });
    await expect(load(lora)).rejects.toThrow(/policy version 'base' is not loaded/);
    await engine.loadPolicy({ version: 'base', ...source, parameters: base });
    await expect(load({ ...lora, rank: 5 })).rejects.toThrow(
      /'model.layers.0.self_attn.q_proj.lora_A.weight' has 64 numbers; the model's \[5, 16\] has 80/,
    );
    await expect(load({ ...lora, targets: ['lm_head'] })).rejects.toThrow(
      /targets is "lm_head"; expected a head of its own/,
    );
    await engine.close();
  });
});
