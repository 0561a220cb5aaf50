/** Decoding several tokens in one graph run gives the tokens of one at a time, with log-probs within 1e-5. */
import { afterAll, expect, test } from 'vitest';
import type { GenerateRequest } from '../../activities/runtime/engine/contract.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { initialParameters } from '../../shared/model/parameters.ts';
import { createStream, fillNormal } from '../../shared/random.ts';
import type { SampledTokens, SamplingSettings } from '../../shared/domain/sampling.ts';
import { tinyDecoder } from './tiny-decoder.ts';
import { wordTokenizer } from './tiny-tokenizer.ts';

const config = tinyDecoder(128);
const tokenizerJson = wordTokenizer(config.vocabSize);
const draw = (name: string, length: number) => fillNormal(`chunk/${name}`, new Float32Array(length), 1);
const engines: LocalEngine[] = [];
afterAll(() => Promise.all(engines.map((engine) => engine.close())));

async function open(decodeChunk: number, constantWeightBytes: number, model = config): Promise<LocalEngine> {
  const threads = { decodeThreads: 1, trainThreads: 1, spin: false };
  const sizes = { maxBatch: 16, maxPrefillTokens: 512, constantWeightBytes, decodeChunk };
  const engine = new LocalEngine({ executionProvider: 'cpu', ...threads, ...sizes });
  engines.push(engine);
  const parameters = initialParameters(model, draw, 0.2);
  await engine.loadPolicy({ version: 'v', config: model, tokenizerJson, parameters });
  return engine;
}

const stream = createStream('chunk');
let draws = 0;
const below = (bound: number) => stream.integer(draws++, bound);
const plain: SamplingSettings = { temperature: 1, topP: 1, topK: 0, minP: 0, maxTokens: 20, stopStrings: [] };
const untruncated: Partial<SamplingSettings>[] = [
  {},
  { temperature: 0 },
  { minP: 0.1, temperature: 1.5 },
  { stopStrings: ['w7 '] },
];
const truncated: Partial<SamplingSettings>[] = [
  { temperature: 0.7, topP: 0.9 },
  { topK: 5 },
  { topK: 1 },
  { topK: 40, topP: 0.5, minP: 0.02 },
  { topP: 0.01 },
  { topK: 1000, temperature: 3 },
];
const requestsOf = (variants: readonly Partial<SamplingSettings>[], count: number): GenerateRequest[] =>
  Array.from({ length: count }, (_, i) => ({
    version: 'v',
    promptIds: Int32Array.from({ length: 1 + below(i % 7 === 0 ? 110 : 30) }, () => below(config.vocabSize)),
    sampling: { ...plain, ...variants[i % variants.length], maxTokens: 1 + below(40) },
    seedKey: `call-${i}`,
    stopTokenIds: i % 3 === 0 ? [5, 6] : i % 3 === 1 ? [] : [9],
  }));

test.each([
  ['no row is sorted, weights as constants', untruncated, 512 << 20],
  ['some rows are sorted, weights as inputs', [...truncated, ...untruncated], 0],
])('%s', async (_, variants, constantWeightBytes) => {
  const requests = requestsOf(variants, 60);
  const sampledBy = async (decodeChunk: number): Promise<SampledTokens[]> => {
    const engine = await open(decodeChunk, constantWeightBytes);
    return Promise.all(requests.map((request) => engine.generate(request)));
  };
  const [single, chunked] = [await sampledBy(1), await sampledBy(8)];
  expect(new Set(single.map(({ finishReason }) => finishReason))).toEqual(new Set(['stop', 'length']));
  const isSame = ({ tokenIds, logProbs, finishReason }: SampledTokens, i: number) => {
    const other = chunked[i]!;
    if (other.finishReason !== finishReason || other.tokenIds.join() !== tokenIds.join()) return false;
    return logProbs.every((value, t) => Math.abs(other.logProbs[t]! - value) < 1e-5);
  };
  // A draw at the very edge between two tokens, or a token at that of a cut, may fall to the other side in the last bit.
  expect(single.filter(isSame).length).toBeGreaterThanOrEqual(59);
  expect(single.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0)).toBeGreaterThan(500);
});

test('heads of a width that one step cannot have sample log-probs that the trainer computes', async () => {
  const engine = await open(1, 512 << 20, { ...config, headDim: 12 });
  const requests = requestsOf([{}], 20);
  const sampled = await Promise.all(requests.map((request) => engine.generate(request)));
  const sequences = sampled.map(({ tokenIds }, i) => ({ promptIds: requests[i]!.promptIds, responseIds: tokenIds }));
  const recomputed = await engine.logProbs({ version: 'v', sequences });
  const gaps = recomputed.flatMap((list, i) => [...list].map((value, t) => Math.abs(value - sampled[i]!.logProbs[t]!)));
  expect(gaps.length).toBeGreaterThan(200);
  expect(Math.max(...gaps)).toBeLessThan(1e-4);
});
