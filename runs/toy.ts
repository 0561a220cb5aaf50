/**
 * The demo: a policy of under two million parameters learns short word problems from scratch, on a processor, in minutes.
 * The cold start is mediocre on purpose, so that both roles have something to find (docs/toy.md).
 */
import { defineRecipe } from '../shared/config/recipe.ts';

export default defineRecipe({
  name: 'toy',
  description: 'Word problems, a tiny policy from random weights: the whole method in minutes on two cores.',
  policy: {
    init: {
      type: 'random',
      tokenizer: 'toy',
      initialStd: 0.08,
      decoder: {
        hiddenSize: 128,
        intermediateSize: 352,
        numLayers: 3,
        numHeads: 4,
        numKvHeads: 2,
        headDim: 32,
        maxPositions: 2048,
      },
    },
  },
  questions: { train: { type: 'toy', count: 512 }, heldOut: { type: 'toy', count: 128 } },
  coldStart: {
    type: 'toy',
    examples: 12000,
    chunks: 4,
    steps: 900,
    batchSize: 32,
    learningRate: 3e-3,
    beta2: 0.99,
    warmupSteps: 30,
    maxTokensPerMicroBatch: 8192,
  },
  prompts: { form: 'terse' },
  sampling: { designer: { maxTokens: 64 }, executor: { maxTokens: 64 } },
  limits: { calls: 12, promptTokensPerCall: 400, responseTokensPerCall: 64 },
  rollout: { questionsPerIteration: 16 },
  stages: { iterationsPerStage: 15, count: 2 },
  update: { learningRate: 2e-4, miniBatches: 4, dropZeroAdvantage: true },
});
