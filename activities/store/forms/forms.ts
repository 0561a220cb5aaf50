/** What a document of each collection must look like when it is read. */
import type { z } from 'zod';
import type { Collections } from '../collections.ts';
import { sftExample, sftSet } from './coldstart.ts';
import { candidate, evaluation, search, study, system } from './measurement.ts';
import { call, credit, design, execution, verdict } from './rollout.ts';
import { iteration, policy, question, questionSet, run, stage } from './run.ts';

export interface DocumentForm {
  /** What one document is called in messages. */
  noun: string;
  fields: Readonly<Record<string, z.ZodType>>;
}

export const forms: Readonly<Record<keyof Collections, DocumentForm>> = {
  runs: { noun: 'run', fields: run },
  datasets: { noun: 'dataset', fields: questionSet },
  questions: { noun: 'question', fields: question },
  stages: { noun: 'stage', fields: stage },
  iterations: { noun: 'iteration', fields: iteration },
  designs: { noun: 'design', fields: design },
  executions: { noun: 'execution', fields: execution },
  calls: { noun: 'call', fields: call },
  verdicts: { noun: 'verdict', fields: verdict },
  credits: { noun: 'credit', fields: credit },
  policies: { noun: 'policy version', fields: policy },
  evaluations: { noun: 'evaluation', fields: evaluation },
  systems: { noun: 'system', fields: system },
  studies: { noun: 'study', fields: study },
  searches: { noun: 'search', fields: search },
  candidates: { noun: 'candidate', fields: candidate },
  sftSets: { noun: 'cold-start set', fields: sftSet },
  sftExamples: { noun: 'cold-start example', fields: sftExample },
};
