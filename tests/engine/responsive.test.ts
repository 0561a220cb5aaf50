/**
 * Heartbeats, polls and cancellations share a thread with nothing that computes: while the engine is inside graph runs of
 * seconds, this thread's timers keep coming. The gap is judged against the graph run, so a loaded machine fails nobody.
 */
import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { createEngine } from '../../activities/runtime/engine/create-engine.ts';
import type { ThreadedEngine } from '../../activities/runtime/engine/create-engine.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import { initialParameters } from '../../shared/model/parameters.ts';
import { fillNormal } from '../../shared/random.ts';

const tokenizerJson = readFileSync(new URL('../../runs/assets/toy-tokenizer.json', import.meta.url), 'utf8');
const config: DecoderConfig = {
  architecture: 'qwen3',
  vocabSize: 512,
  hiddenSize: 256,
  intermediateSize: 768,
  numLayers: 6,
  numHeads: 8,
  numKvHeads: 4,
  headDim: 32,
  ropeTheta: 10_000,
  rmsNormEps: 1e-6,
  tieEmbeddings: true,
  attentionBias: false,
  qkNorm: true,
  maxPositions: 512,
};

let engine: ThreadedEngine | undefined;
afterAll(() => engine?.close());

test('timers keep coming while one graph run holds the engine for long', async () => {
  engine = await createEngine({
    executionProvider: 'cpu',
    decodeThreads: 1,
    trainThreads: 1,
    spin: false,
    maxBatch: 8,
    maxPrefillTokens: 4096,
  });
  const draw = (name: string, length: number) => fillNormal(`responsive/${name}`, new Float32Array(length), 1);
  await engine.loadPolicy({ version: 'v0', config, tokenizerJson, parameters: initialParameters(config, draw) });
  const ids = (length: number) => Int32Array.from({ length }, (_, index) => (index * 7) % 370);
  const examples = Array.from({ length: 8 }, (_, index) => ({
    id: `e${index}`,
    promptIds: ids(128),
    responseIds: ids(128),
  }));

  let last = performance.now();
  let gap = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    gap = Math.max(gap, now - last);
    last = now;
  }, 5);
  const { metrics } = await engine.sft({
    baseVersion: 'v0',
    newVersion: 'v1',
    examples,
    // One step and one micro-batch: forward and backward are a single run of the graph.
    settings: {
      steps: 1,
      batchSize: 8,
      learningRate: 1e-3,
      finalLearningRate: 0,
      warmupSteps: 0,
      schedule: 'constant',
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
      maxGradNorm: 1,
      maxTokensPerMicroBatch: 8 * 256,
      orderKey: 'responsive',
    },
  });
  clearInterval(timer);
  console.log(`graph run ${metrics.durationMs.toFixed(0)} ms, longest gap between timers ${gap.toFixed(0)} ms`);
  expect(metrics.durationMs).toBeGreaterThan(250);
  expect(gap).toBeLessThan(metrics.durationMs / 3);
});
