/** Bundle entry: the workflows that workers run, by the names that the Temporal UI shows. */
export { trainingRun } from './training-run.ts';
export { coEvolutionStage } from './co-evolution-stage.ts';
export { trainingIteration } from './training-iteration.ts';
export { hierarchicalRollout } from './hierarchical-rollout.ts';
export { systemSearch } from './system-search.ts';
export { study } from './study.ts';
export { solution } from './solution.ts';
export { evaluation } from './evaluation.ts';
export { coldStartCollection } from './cold-start-collection.ts';
