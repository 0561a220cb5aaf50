/** A mini-batch in one graph run gives the bits of its micro-batches' own runs where these are cut alike, and else is near. */
import { afterAll, expect, test } from 'vitest';
import type { TrainingSequence, TrainResult, UpdateSettings } from '../../activities/runtime/engine/contract.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { initialAdapter, type LoraSpec } from '../../shared/model/lora.ts';
import { initialParameters } from '../../shared/model/parameters.ts';
import { piecesForAll } from '../../shared/model/pieces.ts';
import { createStream, fillNormal } from '../../shared/random.ts';
import { tinyDecoder } from './tiny-decoder.ts';
import { wordTokenizer } from './tiny-tokenizer.ts';
import { relativeError } from './torch-fixture.ts';

const config = tinyDecoder(512);
const tokenizerJson = wordTokenizer(config.vocabSize);
const lora: LoraSpec = { rank: 4, alpha: 8, targets: ['q_proj', 'v_proj', 'down_proj'] };
const draw = (name: string, length: number) => fillNormal(`mini-batch/${name}`, new Float32Array(length), 1);

const engines: LocalEngine[] = [];
afterAll(() => Promise.all(engines.map((engine) => engine.close())));
async function openEngine(options: { wholeMiniBatches: boolean; constantBase?: boolean }): Promise<LocalEngine> {
  const settings = { decodeThreads: 1, trainThreads: 1, spin: false, maxBatch: 8, maxPrefillTokens: 512 };
  const engine = new LocalEngine({ executionProvider: 'cpu', ...settings, ...options });
  engines.push(engine);
  await engine.loadPolicy({ version: 'v', config, tokenizerJson, parameters: initialParameters(config, draw, 0.1) });
  const parameters = initialAdapter(config, lora, draw);
  for (const [name, tensor] of parameters) if (name.includes('lora_B')) tensor.set(draw(name, tensor.length));
  await engine.loadPolicy({ version: 'lora', config, tokenizerJson, parameters, adapts: { version: 'v', lora } });
  return engine;
}

const stream = createStream('mini-batch');
let drawn = 0;
const below = (bound: number) => stream.integer(drawn++, bound);
const tokens = (count: number) => Int32Array.from({ length: count }, () => below(config.vocabSize));
const sequencesOf = (longest: number): TrainingSequence[] =>
  Array.from({ length: 14 }, (_, i) => {
    const responseIds = tokens(1 + below(longest));
    const logProbs = () => Float32Array.from(responseIds, () => -4.5 + below(100) / 100);
    const [oldLogProbs, referenceLogProbs] = [logProbs(), logProbs()];
    const promptIds = tokens(1 + below(longest / 2));
    return { id: String(i), promptIds, responseIds, advantage: below(7) - 3, oldLogProbs, referenceLogProbs };
  });
const short = sequencesOf(36);
const settings: UpdateSettings = {
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-4,
  weightDecay: 0.1,
  maxGradNorm: 1,
  clipLow: 0.2,
  clipHigh: 0.28,
  klCoef: 0.05,
  entropyCoef: 0.01,
  epochs: 2,
  miniBatches: 2,
  maxTokensPerMicroBatch: 120,
  orderKey: 'mini-batch',
  logProbGapLimit: 0.5,
};

const bare = ({ metrics: { durationMs: _time, ...metrics }, parameters, optimizer }: TrainResult) => ({
  metrics,
  parameters,
  optimizer,
});

test.each([
  ['v', false, {}],
  ['v', false, { recompute: true, precision: 'bfloat16' }],
  ['v', false, { maxTokensPerMicroBatch: 1e6 }],
  ['lora', false, {}],
  ['lora', true, { precision: 'bfloat16' }],
] as const)(
  'an update of %s, base as constants: %s, with %o: the same bits and metrics',
  async (baseVersion, constantBase, more) => {
    const request = { baseVersion, newVersion: 'w', sequences: short, settings: { ...settings, ...more } };
    const [apart, together] = await Promise.all(
      [false, true].map(async (wholeMiniBatches) =>
        (await openEngine({ wholeMiniBatches, constantBase })).update(request),
      ),
    );
    expect(apart!.metrics.driftedTokens).toBeGreaterThan(0);
    expect(bare(together!)).toEqual(bare(apart!));
  },
);

test('micro-batches that would be cut otherwise by themselves come near', async () => {
  const sequences = sequencesOf(300);
  const request = {
    baseVersion: 'v',
    newVersion: 'w',
    sequences,
    settings: { ...settings, maxTokensPerMicroBatch: 600 },
  };
  const [apart, together] = await Promise.all(
    [false, true].map(async (wholeMiniBatches) => (await openEngine({ wholeMiniBatches })).update(request)),
  );
  expect(relativeError(together!.metrics.lossByStep, apart!.metrics.lossByStep)).toBeLessThan(1e-5);
  for (const [name, tensor] of together!.optimizer.m) {
    expect(relativeError(tensor, apart!.optimizer.m.get(name)!), name).toBeLessThan(1e-4);
  }
});

test('supervised steps too', async () => {
  const steps = { steps: 3, batchSize: 9, warmupSteps: 0, schedule: 'linear', finalLearningRate: 0 } as const;
  const request = { baseVersion: 'v', newVersion: 'w', examples: short, settings: { ...settings, ...steps } };
  const [apart, together] = await Promise.all(
    [false, true].map(async (wholeMiniBatches) => (await openEngine({ wholeMiniBatches })).sft(request)),
  );
  expect(bare(together!)).toEqual(bare(apart!));
});

test('one cut for all: the finest that any needs, and one that divides every width', () => {
  const shape = (width: number) => ({ width, scored: width });
  expect(piecesForAll(config, [shape(8), shape(136)]).attentionBlocks).toBe(4);
  expect(piecesForAll(config, [shape(8192), shape(264)]).attentionBlocks).toBe(8);
  expect(piecesForAll({ ...config, vocabSize: 1 << 15 }, [shape(100), shape(300)]).lossChunks).toBe(4);
});
