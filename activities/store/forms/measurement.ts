/** Forms of what is measured and searched for: evaluations, systems, searches with their candidates, studies. */
import { z } from 'zod';
import { studySchema } from '../../../shared/config/study.ts';
import type { StudyCell } from '../../../shared/evaluation/study-table.ts';
import type { QuestionRow } from '../../../shared/evaluation/summary.ts';
import type { DesignSource } from '../../../shared/systems/source.ts';
import type {
  CandidateDocument,
  EvaluationDocument,
  SearchDocument,
  StudyDocument,
  SystemDocument,
} from '../documents.ts';
import { budget, count, dataset, identity, modelCost, numbers, object, real, text } from './form.ts';
import type { Fields } from './form.ts';
import { finds, searchSettings, studyPlan } from './plan.ts';

const row = object<QuestionRow>({
  question: text,
  kind: text.nullable(),
  correct: count,
  majority: z.boolean().nullable(),
  calls: count,
  promptTokens: count,
  responseTokens: count,
});

export const evaluation: Fields<EvaluationDocument> = {
  ...identity,
  runId: text,
  name: text,
  system: text,
  budget: budget.nullable(),
  policyVersion: count,
  dataset,
  samples: count,
  questions: count,
  metrics: z.intersection(numbers, z.looseObject({ average: real })),
  intervals: z.record(text, z.tuple([real, real])),
  perQuestion: z.array(row),
};

const source: z.ZodType<DesignSource> = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('designer') }),
  z.looseObject({ type: z.literal('script'), script: text }),
  z.looseObject({
    type: z.literal('pool'),
    scripts: z.array(text),
    weights: z.array(z.array(real)),
    draws: z.boolean(),
  }),
]);
export const system: Fields<SystemDocument> = {
  ...identity,
  runId: text,
  system: text,
  source,
  budget: budget.nullable(),
  search: object<NonNullable<SystemDocument['search']>>({
    calls: count,
    promptTokens: count,
    responseTokens: count,
    searchId: text,
    rounds: count,
  }).optional(),
};

export const search: Fields<SearchDocument> = {
  ...identity,
  runId: text,
  system: text,
  policyVersion: count,
  finds,
  settings: searchSettings,
  budget: budget.nullable(),
  promptVersion: count,
  rollbacks: z
    .array(
      object<NonNullable<SearchDocument['rollbacks']>[number]>({
        at: z.date(),
        rounds: count,
        loss: text,
      }),
    )
    .optional(),
};

export const candidate: Fields<CandidateDocument> = {
  ...identity,
  runId: text,
  searchId: text,
  number: count,
  parent: count.nullable(),
  origin: z.enum(['given', 'rewrite', 'sample', 'edit']),
  reply: text,
  script: text.nullable(),
  refusal: text.nullable(),
  sameAs: count.nullable(),
  score: real.nullable(),
  cost: modelCost,
  answerCost: modelCost,
};

const cell = object<StudyCell>({
  variant: text,
  seed: count,
  system: text,
  runId: text,
  status: z.enum(['finished', 'failed']),
  failure: text.nullable(),
  evaluation: text.nullable(),
  start: real.nullable(),
  average: real.nullable(),
  majority: real.nullable(),
  callsPerAnswer: real.nullable(),
  responseTokensPerAnswer: real.nullable(),
  learningCalls: count,
  learningTokens: count,
});
export const study: Fields<StudyDocument> = {
  ...identity,
  study: studySchema,
  plan: studyPlan,
  status: z.enum(['running', 'finished']),
  cells: z.array(cell),
  finishedAt: z.date().optional(),
};
