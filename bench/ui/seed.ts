/** A run of 300 iterations x 128 executions as documents: 8 questions, 4 designs that may run and one that may not. */
import type { Store } from '../../activities/store/connect.ts';
import { storeRun } from '../../tests/helpers/stored-run.ts';

export const runId = 'large';
export const shape = { stages: [75, 75, 75, 75], questions: 8, designs: 5, executions: 4, calls: 2 };
/** The first design of a question may not run. */
export const executionsPerIteration = shape.questions * (shape.designs - 1) * shape.executions;
export const iterations = shape.stages.reduce((sum, count) => sum + count);

const script = `const answers = await Promise.all([agent('steps'), agent('plain'), agent('check')]);
return ensemble(answers, { by: 'majority' });`;
const sentence = 'Tom has 12 pens and gets 7 more, so he has 12 + 7 = 19 pens. ';
/** As long as what a small model writes. */
const texts: Record<string, string> = {
  script,
  reply: script,
  message: sentence.repeat(6),
  answer: sentence,
  question: 'Tom has 12 pens and gets 7 more. How many pens does he have?',
  prompt: sentence.repeat(30),
};

export const seedRun = (store: Store): Promise<void> =>
  storeRun(store, { ...shape, runId, text: (what) => texts[what] ?? what });
