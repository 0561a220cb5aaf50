/**
 * The paper's settings (arXiv 2605.14212): Qwen3-8B plays both roles; M = N = 4, K = 30, Executor first, clip 0.2, no KL,
 * no entropy bonus, learning rate 5e-6, 8 questions an iteration, 8,192 response tokens. What the paper states is the
 * schema's default; the keys below say where the model and the questions are.
 */
import { defineRecipe } from '../shared/config/recipe.ts';

export default defineRecipe({
  name: 'metaagentx-qwen3-8b',
  description: 'MetaAgent-X as published: Qwen3-8B, stagewise co-evolution on mathematics and code.',
  policy: { init: { type: 'checkpoint', directory: 'models/Qwen3-8B' } },
  questions: {
    train: { type: 'file', path: 'questions/train.jsonl' },
    heldOut: { type: 'file', path: 'questions/held-out.jsonl' },
  },
  prompts: { form: 'documented' },
  stages: { count: 10 },
  evaluation: { samples: 3 },
});
