import { describe, expect, test } from 'vitest';
import { buildGradientGraph } from '../../shared/model/gradient-graph.ts';
import type { GradientGraphOptions } from '../../shared/model/interface.ts';
import { buildLogProbGraph } from '../../shared/model/log-prob-graph.ts';
import { parameterShapes } from '../../shared/model/parameters.ts';
import { openGraph } from './onnx-run.ts';
import { feedsOf, scoredOf } from './scored-fixture.ts';
import { readFixture, relativeError, unpack, unpackAll, type DecoderFixture } from './torch-fixture.ts';

const tolerance = 1e-5;

describe.each(['qwen3', 'qwen2', 'llama'])('%s against PyTorch', (name) => {
  const fixture = readFixture<DecoderFixture>(name);
  const scored = scoredOf(fixture);
  const dims = { B: fixture.batch, T: fixture.length, N: scored.length };
  const feeds = feedsOf(fixture);
  const policy = { type: 'policy', ...fixture.policy.settings } as const;
  const gradients = async (options: GradientGraphOptions, threads = 1) => {
    const runner = await openGraph(buildGradientGraph(fixture.config, options), threads);
    const result = await runner.run(feeds, dims);
    await runner.close();
    return result;
  };

  test('parameters have the names that transformers gives', () => {
    expect([...parameterShapes(fixture.config).keys()].sort()).toEqual(Object.keys(fixture.parameters).sort());
  });

  test('log-probabilities and entropies, in one piece and in three', async () => {
    for (const lossChunks of [1, 3]) {
      const runner = await openGraph(buildLogProbGraph(fixture.config, { lossChunks }));
      const result = await runner.run(feeds, dims);
      await runner.close();
      for (const [got, wanted] of [
        [result['log_prob']!, fixture.logProb],
        [result['entropy']!, fixture.entropy],
      ] as const) {
        const values = unpack(wanted);
        expect(
          relativeError(
            got,
            scored.map((i) => values[i]!),
          ),
        ).toBeLessThan(tolerance);
      }
    }
  });

  test.each([1, 2, 4])('likelihood loss and every gradient, %i pieces', async (lossChunks) => {
    const result = await gradients({ loss: { type: 'sft' }, lossChunks });
    expect(relativeError(result['loss']!, [fixture.sft.loss])).toBeLessThan(tolerance);
    for (const [key, wanted] of Object.entries(unpackAll(fixture.sft.gradients))) {
      expect(relativeError(result[`grad.${key}`]!, wanted), key).toBeLessThan(tolerance);
    }
  });

  test.each([1, 3])('clipped policy loss with KL and entropy, and every gradient, %i pieces', async (lossChunks) => {
    const result = await gradients({ loss: policy, lossChunks });
    const { loss, ratio, clipFraction, kl, referenceKl } = fixture.policy;
    expect(clipFraction).toBeGreaterThan(0.1);
    for (const [output, wanted] of Object.entries({
      loss,
      ratio,
      clip_fraction: clipFraction,
      kl,
      reference_kl: referenceKl,
    })) {
      expect(relativeError(result[output]!, [wanted]), output).toBeLessThan(tolerance);
    }
    for (const [key, wanted] of Object.entries(unpackAll(fixture.policy.gradients))) {
      expect(relativeError(result[`grad.${key}`]!, wanted), key).toBeLessThan(tolerance);
    }
  });

  test('accumulated gradients add to what is fed; frozen parameters have none', async () => {
    const trainable = (key: string) => key.includes('layers.1') || key.includes('embed');
    const built = buildGradientGraph(fixture.config, { loss: { type: 'sft' }, accumulate: true, trainable });
    const runner = await openGraph(built);
    const wanted = unpackAll(fixture.sft.gradients);
    const accum = Object.fromEntries(Object.entries(wanted).map(([key, g]) => [`accum.${key}`, g.map((x) => 2 * x)]));
    const result = await runner.run({ ...feeds, ...accum }, dims);
    await runner.close();
    for (const [key, g] of Object.entries(wanted)) {
      if (trainable(key))
        expect(
          relativeError(
            result[`grad.${key}`]!,
            g.map((x) => 3 * x),
          ),
          key,
        ).toBeLessThan(tolerance);
      else expect(result[`grad.${key}`]).toBeUndefined();
    }
  });

  test('recomputed layers give the same bits, as whole weights and in pieces', async () => {
    for (const options of [{ lossChunks: 1 }, { lossChunks: 3, attentionBlocks: 1 }]) {
      const kept = await gradients({ loss: policy, ...options });
      expect(await gradients({ loss: policy, ...options, recompute: true })).toEqual(kept);
    }
  });

  test('several threads give the same bits every time', async () => {
    const runner = await openGraph(buildGradientGraph(fixture.config, { loss: policy }), 4);
    const first = await runner.run(feeds, dims);
    for (const [key, wanted] of Object.entries(unpackAll(fixture.policy.gradients))) {
      expect(relativeError(first[`grad.${key}`]!, wanted), key).toBeLessThan(tolerance);
    }
    for (let round = 0; round < 50; round += 1) expect(await runner.run(feeds, dims)).toEqual(first);
    await runner.close();
  });
});
