/** What a training does when numbers or memory run out: it stops by name and leaves everything as it was, or goes on smaller. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { TrainingSequence, UpdateSettings } from '../../activities/runtime/engine/contract.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { GraphSession } from '../../activities/runtime/engine/session.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import { DomainError } from '../../shared/errors.ts';
import { initialParameters } from '../../shared/model/parameters.ts';
import { fillNormal } from '../../shared/random.ts';
import { wordTokenizer } from './tiny-tokenizer.ts';

const config: DecoderConfig = {
  architecture: 'llama',
  vocabSize: 20,
  hiddenSize: 16,
  intermediateSize: 24,
  numLayers: 1,
  numHeads: 2,
  numKvHeads: 1,
  headDim: 8,
  ropeTheta: 10_000,
  rmsNormEps: 1e-6,
  tieEmbeddings: true,
  maxPositions: 64,
  attentionBias: false,
  qkNorm: false,
};
const settings: UpdateSettings = {
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradNorm: 1,
  clipLow: 0.2,
  clipHigh: 0.2,
  klCoef: 0,
  entropyCoef: 0,
  epochs: 1,
  miniBatches: 1,
  maxTokensPerMicroBatch: 32,
  orderKey: 'o',
};
const sequences: TrainingSequence[] = Array.from({ length: 6 }, (_, i) => ({
  id: `s-${i}`,
  promptIds: Int32Array.of(1 + i, 2),
  responseIds: Int32Array.of(3, 4 + i, 5),
  advantage: i % 2 === 0 ? 1 : -1,
  oldLogProbs: new Float32Array(3).fill(-3),
}));

async function openEngine(): Promise<LocalEngine> {
  const threads = { decodeThreads: 1, trainThreads: 1, spin: false };
  const engine = new LocalEngine({ executionProvider: 'cpu', ...threads, maxBatch: 4, maxPrefillTokens: 64 });
  const draw = (name: string, length: number) => fillNormal(name, new Float32Array(length), 1);
  const parameters = initialParameters(config, draw, 0.1);
  await engine.loadPolicy({ version: 'v', config, tokenizerJson: wordTokenizer(config.vocabSize), parameters });
  return engine;
}

afterEach(() => vi.restoreAllMocks());

describe('a loss that is not finite', () => {
  test.each([
    // An infinite ratio: the clip bounds the loss where the advantage is positive, but not the gradient's arithmetic.
    [4, /the gradient norm of step 1 is NaN; sequences: s-\d/],
    [5, /the loss of step 1 is Infinity; sequences: s-\d/],
  ])('names step and sequences, makes no version; batch and base can be used again (%i)', async (bad, message) => {
    const engine = await openEngine();
    const request = { baseVersion: 'v', newVersion: 'w', settings };
    const broken = sequences.map((sequence, i) =>
      i === bad ? { ...sequence, oldLogProbs: new Float32Array(3).fill(-1e30) } : sequence,
    );
    await expect(engine.update({ ...request, sequences: broken })).rejects.toMatchObject({
      name: 'NonFiniteLoss',
      message: expect.stringMatching(message),
      data: { ids: expect.arrayContaining([`s-${bad}`]) },
    });
    expect(await engine.hasPolicy('w')).toBe(false);
    expect(broken[bad]!.oldLogProbs[0]).toBeLessThan(-1e29);
    const after = await engine.update({ ...request, sequences });
    const fresh = await openEngine();
    expect(after.parameters).toEqual((await fresh.update({ ...request, sequences })).parameters);
  });
});

describe('memory that runs out', () => {
  /** The nth to mth gradient runs fail as ONNX Runtime's allocation failures do. */
  function failing(from: number, to: number) {
    let runs = 0;
    const real = GraphSession.prototype.run;
    vi.spyOn(GraphSession.prototype, 'run').mockImplementation(async function (this: GraphSession, feeds, fetches) {
      if (this.name.startsWith('gradient') && ++runs >= from && runs <= to) {
        throw new DomainError('DeviceOutOfMemory', 'the gradient graph ran out of memory.');
      }
      return real.call(this, feeds, fetches);
    });
  }
  const warnings = () => vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);

  test('once: micro-batches of half the size from there on, the same gradient, and it is said', async () => {
    const whole = await (await openEngine()).update({ baseVersion: 'v', newVersion: 'w', sequences, settings });
    failing(2, 2);
    const warned = warnings();
    const halved = await (await openEngine()).update({ baseVersion: 'v', newVersion: 'w', sequences, settings });
    expect([whole.metrics.memoryHalvings, halved.metrics.memoryHalvings]).toEqual([0, 1]);
    expect(warned).toHaveBeenCalledWith(expect.stringMatching(/micro-batches of 16 instead of 32 tokens/));
    expect(halved.metrics.tokens).toBe(whole.metrics.tokens);
    expect(halved.metrics.gradNorm).toBeCloseTo(whole.metrics.gradNorm, 5);
    expect(halved.metrics.loss).toBeCloseTo(whole.metrics.loss, 5);
  });

  test('in a shard: the micro-batch in halves, with the same gradient, and it is said', async () => {
    const shard = { baseVersion: 'v', sequences, settings, share: { index: 0, of: 1 } };
    const whole = await (await openEngine()).gradients(shard);
    failing(1, 1);
    const warned = warnings();
    const halved = await (await openEngine()).gradients(shard);
    expect(warned).toHaveBeenCalledTimes(1);
    expect(whole.map((part) => part.halved)).toEqual([false, false]);
    expect(halved.map((part) => part.halved)).toEqual([true, true]);
    // The second has half the size already.
    expect(halved[1]).toEqual({ ...whole[1], halved: true });
    for (const [name, gradient] of whole[0]!.gradients) {
      const own = halved[0]!.gradients.get(name)!;
      const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      gradient.forEach((value, i) => expect(Math.abs(own[i]! - value)).toBeLessThanOrEqual(1e-5 * largest));
    }
    expect(halved[0]!.tally.tokens).toBe(whole[0]!.tally.tokens);
    expect(halved[0]!.loss).toBeCloseTo(whole[0]!.loss, 5);
    const sessions = vi.mocked(GraphSession.prototype.run).mock.contexts as GraphSession[];
    expect(sessions.filter(({ name }) => name.startsWith('gradient'))).toHaveLength(4);
  });

  test('twice: it fails by name', async () => {
    failing(1, 2);
    warnings();
    const update = (await openEngine()).update({ baseVersion: 'v', newVersion: 'w', sequences, settings });
    await expect(update).rejects.toMatchObject({ name: 'DeviceOutOfMemory' });
  });
});
