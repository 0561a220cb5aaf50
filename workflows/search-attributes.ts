/** Typed search attributes: what the Temporal UI can filter runs, stages, iterations and rollouts by. */
import { defineSearchAttributeKey } from '@temporalio/common';
import type { SearchAttributePair } from '@temporalio/common';

export const searchAttributes = {
  runId: defineSearchAttributeKey('TrainingRun', 'KEYWORD'),
  stage: defineSearchAttributeKey('Stage', 'INT'),
  role: defineSearchAttributeKey('Role', 'KEYWORD'),
  iteration: defineSearchAttributeKey('Iteration', 'INT'),
  policyVersion: defineSearchAttributeKey('PolicyVersion', 'INT'),
  meanReward: defineSearchAttributeKey('MeanReward', 'DOUBLE'),
  dataset: defineSearchAttributeKey('Dataset', 'KEYWORD'),
} as const;

export interface VisibleFacts {
  runId: string;
  stage?: number;
  role?: string;
  iteration?: number;
  policyVersion?: number;
  dataset?: string;
}

/** The pairs to start a workflow with. */
export function visible(facts: VisibleFacts): SearchAttributePair[] {
  const { runId, stage, role, iteration, policyVersion, dataset } = searchAttributes;
  const pairs: SearchAttributePair[] = [{ key: runId, value: facts.runId }];
  if (facts.stage !== undefined) pairs.push({ key: stage, value: facts.stage });
  if (facts.role !== undefined) pairs.push({ key: role, value: facts.role });
  if (facts.iteration !== undefined) pairs.push({ key: iteration, value: facts.iteration });
  if (facts.policyVersion !== undefined) pairs.push({ key: policyVersion, value: facts.policyVersion });
  if (facts.dataset !== undefined) pairs.push({ key: dataset, value: facts.dataset });
  return pairs;
}
