/** Sequences up to the last position of a context that is no multiple of any padding. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { initialParameters } from '../../shared/model/parameters.ts';
import { fillNormal } from '../../shared/random.ts';
import { tinyDecoder } from './tiny-decoder.ts';
import { wordTokenizer } from './tiny-tokenizer.ts';
import { relativeError } from './torch-fixture.ts';

const threads = { decodeThreads: 1, trainThreads: 1, spin: false };
const engine = new LocalEngine({ executionProvider: 'cpu', ...threads, maxBatch: 4, maxPrefillTokens: 512 });
const draw = (name: string, length: number) => fillNormal(`context-end/${name}`, new Float32Array(length), 1);
const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, maxTokens: 8, stopStrings: [] };
/** Of numbers from graph runs of other widths, which may be added up in another order. */
const tolerance = 1e-5;
const ids = (length: number) => Int32Array.from({ length }, (_, i) => (i * 31 + 7) % 96);

beforeAll(async () => {
  for (const maxPositions of [100, 128]) {
    const config = tinyDecoder(maxPositions);
    const parameters = initialParameters(config, draw, 0.2);
    const tokenizerJson = wordTokenizer(config.vocabSize);
    await engine.loadPolicy({ version: `of ${maxPositions}`, config, tokenizerJson, parameters });
  }
});
afterAll(() => engine.close());

test.each([92, 97, 99])('a prompt of %i of 100 tokens is answered, and so are those beside it', async (length) => {
  const call = (version: string, of: number) =>
    engine.generate({ version, promptIds: ids(of), sampling, seedKey: `${of}`, stopTokenIds: [] });
  const together = await Promise.all([5, length, 6].map((of) => call('of 100', of)));
  const longer = await Promise.all([5, length, 6].map((of) => call('of 128', of)));
  expect(together[1]!.tokenIds).toHaveLength(Math.min(8, 100 - length));
  together.forEach(({ tokenIds }, i) =>
    expect([...tokenIds]).toEqual([...longer[i]!.tokenIds].slice(0, tokenIds.length)),
  );
});

test('a sequence that fills the context is learned from, as in a longer one', async () => {
  const sequence = { id: 's', promptIds: ids(40), responseIds: ids(60), advantage: 1 };
  const [ours] = await engine.logProbs({ version: 'of 100', sequences: [sequence] });
  const [theirs] = await engine.logProbs({ version: 'of 128', sequences: [sequence] });
  expect(relativeError(ours!, theirs!)).toBeLessThan(tolerance);
  const adam = { learningRate: 1e-3, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, maxGradNorm: 1 };
  const loss = { clipLow: 0.2, clipHigh: 0.2, klCoef: 0, entropyCoef: 0, epochs: 1, miniBatches: 1 };
  const settings = { ...adam, ...loss, maxTokensPerMicroBatch: 512, orderKey: 'o' };
  const sequences = [{ ...sequence, oldLogProbs: ours! }];
  const learned = await Promise.all(
    [100, 128].map((of) => engine.update({ baseVersion: `of ${of}`, newVersion: `then ${of}`, sequences, settings })),
  );
  expect(learned[0]!.metrics.gradNorm).toBeGreaterThan(0);
  for (const [name, moment] of learned[0]!.optimizer.m) {
    expect(relativeError(moment, learned[1]!.optimizer.m.get(name)!), name).toBeLessThan(tolerance);
  }
});
