/** A model behind an OpenAI-compatible endpoint: it answers, and collects cold-start examples; nothing is trained. */
import { defineRecipe } from '../shared/config/recipe.ts';

export default defineRecipe({
  name: 'teacher',
  description: 'A model behind an endpoint, for coldstart collect, eval and solve.',
  policy: { init: { type: 'endpoint', url: 'http://127.0.0.1:8000/v1', model: 'default' } },
  questions: { train: { type: 'toy', count: 256 }, heldOut: { type: 'toy', count: 64 } },
  prompts: { form: 'documented' },
  sampling: { designer: { maxTokens: 2048 }, executor: { maxTokens: 2048 } },
  stages: { count: 0 },
});
