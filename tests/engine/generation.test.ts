/**
 * Calls that share an engine: what each samples does not depend on the others, a call that ends or is cancelled makes room,
 * equal prompts are prefilled once, and the trainer finds the log-probs that sampling gave.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GenerateRequest } from '../../activities/runtime/engine/contract.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { initialParameters } from '../../shared/model/parameters.ts';
import { createStream, fillNormal } from '../../shared/random.ts';
import type { SampledTokens, SamplingSettings } from '../../shared/domain/sampling.ts';
import { hasByteProducts } from '../helpers/byte-products.ts';
import { tinyDecoder } from './tiny-decoder.ts';
import { wordTokenizer } from './tiny-tokenizer.ts';

const config = tinyDecoder(256);
const tokenizerJson = wordTokenizer(config.vocabSize);
const draw = (name: string, length: number) => fillNormal(`generation/${name}`, new Float32Array(length), 1);
const plain: SamplingSettings = { temperature: 1, topP: 1, topK: 0, minP: 0, maxTokens: 20, stopStrings: [] };

const engines: LocalEngine[] = [];
afterAll(() => Promise.all(engines.map((engine) => engine.close())));
async function openEngine(maxBatch: number, constantWeightBytes?: number): Promise<LocalEngine> {
  const threads = { decodeThreads: 1, trainThreads: 1, spin: false };
  const engine = new LocalEngine({
    executionProvider: 'cpu',
    ...threads,
    maxBatch,
    maxPrefillTokens: 512,
    constantWeightBytes,
  });
  engines.push(engine);
  await engine.loadPolicy({ version: 'v', config, tokenizerJson, parameters: initialParameters(config, draw, 0.2) });
  return engine;
}

const stream = createStream('generation');
let draws = 0;
const below = (bound: number) => stream.integer(draws++, bound);
const promptOf = (length: number) => Int32Array.from({ length }, () => below(config.vocabSize));

/** Every kind of settings, prompts from 1 to 150 tokens, some of them equal. */
const variants: Partial<SamplingSettings>[] = [
  {},
  { temperature: 0 },
  { temperature: 0.7, topP: 0.9 },
  { topK: 5 },
  { minP: 0.1, temperature: 1.5 },
  { stopStrings: ['w7 '] },
];
const requests: GenerateRequest[] = [];
beforeAll(() => {
  for (let i = 0; i < 200; i++) {
    const promptIds = i % 10 === 9 ? requests[i - 3]!.promptIds : promptOf(1 + below(i % 4 === 0 ? 150 : 40));
    const sampling = { ...plain, ...variants[i % variants.length], maxTokens: 1 + below(24) };
    requests.push({ version: 'v', promptIds, sampling, seedKey: `call-${i}`, stopTokenIds: i % 3 === 0 ? [5, 6] : [] });
  }
});

const shuffled = <Item>(items: readonly Item[]): Item[] => {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
};

const kinds = [
  ['constants', 'float32', undefined],
  ['inputs', 'float32', 0],
  ['constants in 8 bits', 'int8', undefined],
  ['inputs in 16 bits', 'bfloat16', 0],
] as const;
const possible = kinds.filter(([, weights]) => weights !== 'int8' || hasByteProducts);

describe.each(possible)('200 calls, weights as %s', (_, weights, constantWeightBytes) => {
  test('sample the same bits alone and in whatever company', async () => {
    const calls = requests.map((request) => ({ ...request, weights }));
    const solo = await openEngine(1, constantWeightBytes);
    const alone: SampledTokens[] = [];
    for (const request of calls) alone.push(await solo.generate(request));
    expect(new Set(alone.map(({ finishReason }) => finishReason))).toEqual(new Set(['stop', 'length']));
    const engine = await openEngine(17, constantWeightBytes);
    for (let round = 0; round < 2; round++) {
      const results = new Map<GenerateRequest, SampledTokens>();
      const start = async (request: GenerateRequest) => results.set(request, await engine.generate(request));
      // In random order and in bursts, so that calls join at every point of others.
      const order = shuffled(calls);
      const running: Promise<unknown>[] = [];
      while (order.length > 0) {
        for (const request of order.splice(0, 1 + below(30))) running.push(start(request));
        await new Promise((resolve) => setTimeout(resolve, below(8)));
      }
      await Promise.all(running);
      calls.forEach((request, i) => expect(results.get(request), `call ${i}`).toEqual(alone[i]));
      const { meanBatch } = await engine.stats();
      expect(meanBatch).toBeGreaterThan(4);
    }
  });
});

test('log-probs of sampling are those that the trainer computes', async () => {
  const engine = await openEngine(64);
  const chosen = requests.slice(0, 64).map((request) => ({ ...request, sampling: { ...plain, maxTokens: 40 } }));
  const sampled = await Promise.all(chosen.map((request) => engine.generate(request)));
  const sequences = sampled.map(({ tokenIds }, i) => ({ promptIds: chosen[i]!.promptIds, responseIds: tokenIds }));
  const recomputed = await engine.logProbs({ version: 'v', sequences });
  const gaps = recomputed.flatMap((list, i) => [...list].map((value, t) => Math.abs(value - sampled[i]!.logProbs[t]!)));
  expect(gaps.length).toBeGreaterThan(1000);
  expect(Math.max(...gaps)).toBeLessThan(1e-4);
});

test('old log-probs that are not the policy’s raise the alarm, and only then', async () => {
  const engine = await openEngine(8);
  const request = { ...requests[1]!, sampling: plain };
  const { tokenIds, logProbs } = await engine.generate(request);
  const train = async (newVersion: string, oldLogProbs: Float32Array) => {
    const sequence = { id: 's', promptIds: request.promptIds, responseIds: tokenIds, advantage: 1, oldLogProbs };
    const adam = { learningRate: 1e-3, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, maxGradNorm: 1 };
    const loss = { clipLow: 0.2, clipHigh: 0.2, klCoef: 0, entropyCoef: 0, epochs: 2, miniBatches: 1 };
    const settings = { ...adam, ...loss, maxTokensPerMicroBatch: 512, orderKey: 'o', logProbGapLimit: 1e-3 };
    return (await engine.update({ baseVersion: 'v', newVersion, sequences: [sequence], settings })).metrics;
  };
  expect(await train('honest', logProbs)).toMatchObject({ driftAlarm: 0, driftedTokens: 0 });
  const drifted = logProbs.map((value, t) => (t < 2 ? value - 0.01 : value));
  expect(await train('drifted', drifted)).toMatchObject({ driftAlarm: 1, driftedTokens: 2 });
});

describe('slots', () => {
  const long = (i: number): GenerateRequest => ({
    version: 'v',
    promptIds: Int32Array.of(i + 1, 2, 3),
    sampling: { ...plain, maxTokens: 200 },
    seedKey: `long-${i}`,
    stopTokenIds: [],
  });

  test('a cancelled call rejects with its reason and gives its slot to one that waits', async () => {
    const engine = await openEngine(2);
    const wanted = await engine.generate({ ...long(2), sampling: { ...plain, maxTokens: 30 } });
    const aborts = [new AbortController(), new AbortController()];
    const ended: string[] = [];
    const held = aborts.map(({ signal }, i) =>
      engine.generate(long(i), { signal }).then(
        () => ended.push(`finished ${i}`),
        (error: unknown) => ended.push(String(error)),
      ),
    );
    const waiting = engine.generate({ ...long(2), sampling: { ...plain, maxTokens: 30 } });
    while ((await engine.stats()).decodeSteps < 40) await new Promise((resolve) => setImmediate(resolve));
    expect(await engine.stats()).toMatchObject({ active: 2, waiting: 1 });
    aborts[0]!.abort('no longer needed');
    // The one that waited is done long before the other could be: 200 tokens against 30.
    expect(await waiting).toEqual(wanted);
    expect(ended).toEqual(['no longer needed']);
    aborts[1]!.abort('nor this one');
    await Promise.all(held);
    expect(ended).toEqual(['no longer needed', 'nor this one']);
    while ((await engine.stats()).active > 0) await new Promise((resolve) => setImmediate(resolve));
    await engine.unloadPolicy('v');
    expect(await engine.hasPolicy('v')).toBe(false);
    await expect(engine.generate(long(0))).rejects.toThrow(/policy version 'v' is not loaded/);
  });

  test('a version that is loaded while its last calls end is there, and they end', async () => {
    const engine = await openEngine(2);
    const short = { ...long(0), sampling: { ...plain, maxTokens: 30 } };
    const wanted = await engine.generate(short);
    const held = engine.generate(long(1));
    const source = { version: 'v', config, tokenizerJson, parameters: initialParameters(config, draw, 0.2) };
    const unloaded = engine.unloadPolicy('v');
    await engine.loadPolicy(source);
    expect((await engine.stats()).active + (await engine.stats()).waiting).toBe(1);
    await unloaded;
    expect((await held).tokenIds.length).toBe(200);
    expect(await engine.generate(short)).toEqual(wanted);
  });

  test('samples of one prompt share its prefill', async () => {
    const engine = await openEngine(8);
    const promptIds = promptOf(100);
    const results = await Promise.all(
      [0, 1, 2, 3].map((i) => engine.generate({ ...long(i), promptIds, sampling: { ...plain, maxTokens: 12 } })),
    );
    expect(await engine.stats()).toMatchObject({ prefilledTokens: 100, sharedPrefillTokens: 300 });
    expect(new Set(results.map(({ tokenIds }) => tokenIds.join())).size).toBe(4);
  });
});
