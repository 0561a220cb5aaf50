/** Every organ once, in under a minute: for tests and for a first look. It is too short to learn anything. */
import { defineRecipe } from '../shared/config/recipe.ts';

export default defineRecipe({
  name: 'smoke',
  description: 'The whole loop at its smallest: one stage a role, two iterations each.',
  policy: {
    init: {
      type: 'random',
      tokenizer: 'toy',
      decoder: {
        hiddenSize: 64,
        intermediateSize: 160,
        numLayers: 2,
        numHeads: 2,
        numKvHeads: 1,
        headDim: 32,
        maxPositions: 2048,
      },
    },
  },
  questions: { train: { type: 'toy', count: 32 }, heldOut: { type: 'toy', count: 4 } },
  coldStart: {
    type: 'toy',
    examples: 600,
    chunks: 2,
    steps: 240,
    batchSize: 16,
    learningRate: 4e-3,
    warmupSteps: 5,
    maxTokensPerMicroBatch: 4096,
  },
  prompts: { form: 'terse' },
  sampling: { designer: { maxTokens: 32 }, executor: { maxTokens: 32 } },
  limits: { calls: 8, promptTokensPerCall: 1500, responseTokensPerCall: 32 },
  rollout: { questionsPerIteration: 2, designsPerQuestion: 2, executionsPerDesign: 2 },
  stages: { iterationsPerStage: 2, count: 2 },
  update: { learningRate: 1e-3, dropZeroAdvantage: true },
  evaluation: { samples: 2 },
});
