/**
 * The engine's two kinds of training against PyTorch (tests/fixtures/torch/make_training.py): twenty AdamW steps each, on
 * mini-batches in the engine's own order, with ratios away from 1, a KL penalty, an entropy bonus and clipped gradients.
 */
import { afterAll, describe, expect, test } from 'vitest';
import type { SftSettings, TrainResult, UpdateSettings } from '../../activities/runtime/engine/contract.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import { permutation } from '../../shared/random.ts';
import { wordTokenizer } from './tiny-tokenizer.ts';
import { readFixture, relativeError, unpack, unpackAll } from './torch-fixture.ts';

type Packed = Record<string, string>;
interface Trajectory<Settings> {
  settings: Settings;
  losses: number[];
  gradNorms: number[];
  parameters: Packed;
}
interface TrainingFixture {
  config: DecoderConfig;
  epochs: number[][];
  passes: number[][];
  sequences: { prompt: number[]; response: number[]; advantage: number; old: string; ref: string }[];
  parameters: Packed;
  policy: Trajectory<UpdateSettings> &
    Record<'tokens' | 'meanRatio' | 'clipFraction' | 'approxKl' | 'referenceKl' | 'entropy', number>;
  sft: Trajectory<SftSettings>;
}

const fixture = readFixture<TrainingFixture>('training');
const tolerance = 1e-5;
const tokenizerJson = wordTokenizer(fixture.config.vocabSize);
const initial = unpackAll(fixture.parameters);
const engines: LocalEngine[] = [];
afterAll(() => Promise.all(engines.map((engine) => engine.close())));

async function openEngine(trainThreads: number): Promise<LocalEngine> {
  const options = {
    executionProvider: 'cpu',
    decodeThreads: 1,
    spin: false,
    maxBatch: 4,
    maxPrefillTokens: 64,
  } as const;
  const engine = new LocalEngine({ ...options, trainThreads });
  engines.push(engine);
  const parameters = new Map(Object.entries(initial));
  await engine.loadPolicy({ version: 'v0', config: fixture.config, tokenizerJson, parameters });
  return engine;
}

const sequences = fixture.sequences.map(({ prompt, response, advantage, old, ref }, i) => ({
  id: `sequence-${i}`,
  promptIds: Int32Array.from(prompt),
  responseIds: Int32Array.from(response),
  advantage,
  oldLogProbs: unpack(old),
  referenceLogProbs: unpack(ref),
}));

function expectTrajectory({ parameters, metrics, optimizer }: TrainResult, expected: Trajectory<unknown>): void {
  expect(optimizer.step).toBe(20);
  expect(relativeError(metrics.lossByStep, expected.losses)).toBeLessThan(tolerance);
  const meanNorm = expected.gradNorms.reduce((sum, norm) => sum + norm, 0) / expected.gradNorms.length;
  expect(relativeError([metrics.gradNorm], [meanNorm])).toBeLessThan(tolerance);
  for (const [name, wanted] of Object.entries(unpackAll(expected.parameters))) {
    const got = parameters.get(name)!;
    expect(relativeError(got, wanted), name).toBeLessThan(tolerance);
    // Against the change alone, which the weights' own size cannot hide.
    const change = (values: Float32Array) => values.map((value, i) => value - initial[name]![i]!);
    expect(relativeError(change(got), change(wanted)), `change of ${name}`).toBeLessThan(100 * tolerance);
  }
}

test('the fixture has the order of the engine', () => {
  expect(fixture.epochs).toEqual(fixture.epochs.map((_, epoch) => permutation(`fixture/epoch-${epoch}`, 12)));
  expect(fixture.passes).toEqual(fixture.passes.map((_, pass) => permutation(`fixture/pass-${pass}`, 12)));
});

/** One run a micro-batch, some, and all in one. */
describe.each([
  [1, 1, false],
  [32, 2, true],
  [4096, 4, false],
])('micro-batches of %i tokens, %i threads, recomputed layers: %s', (maxTokensPerMicroBatch, threads, recompute) => {
  test('clipped policy gradient over 4 epochs of 5 mini-batches', async () => {
    const engine = await openEngine(threads);
    const { settings, ...expected } = fixture.policy;
    const result = await engine.update({
      baseVersion: 'v0',
      newVersion: 'v1',
      sequences,
      settings: { ...settings, maxTokensPerMicroBatch, recompute, orderKey: 'fixture' },
    });
    expectTrajectory(result, fixture.policy);
    const { metrics } = result;
    expect(metrics.clipFraction).toBeGreaterThan(0.1);
    for (const name of ['meanRatio', 'clipFraction', 'approxKl', 'referenceKl', 'entropy'] as const) {
      expect(relativeError([metrics[name]], [expected[name]]), name).toBeLessThan(tolerance);
    }
    expect(metrics.tokens).toBe(expected.tokens);
  });

  test('supervised steps under a cosine schedule with warm-up', async () => {
    const engine = await openEngine(threads);
    const result = await engine.sft({
      baseVersion: 'v0',
      newVersion: 'v1',
      examples: sequences,
      settings: { ...fixture.sft.settings, maxTokensPerMicroBatch, recompute, orderKey: 'fixture' },
    });
    expectTrajectory(result, fixture.sft);
  });
});
