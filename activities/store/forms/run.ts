/** Forms of a run and of what it is made of: its questions, stages, iterations and policy versions. */
import { z } from 'zod';
import { recipeSchema } from '../../../shared/config/recipe.ts';
import type { Decision } from '../../../shared/domain/decision.ts';
import type { CodeTest, CodeVerifier, MathVerifier, OpenVerifier, Question } from '../../../shared/domain/question.ts';
import { storedDTypes } from '../../../shared/model/checkpoint/number-formats.ts';
import type { DecoderConfig, Llama3RopeScaling } from '../../../shared/model/config.ts';
import type { LoraSpec } from '../../../shared/model/lora.ts';
import type {
  DatasetDocument,
  FolderRecord,
  IterationDocument,
  IterationFacts,
  PolicyDocument,
  PolicyPartRecord,
  QuestionDocument,
  RecipeChange,
  RunDocument,
  StageDocument,
} from '../documents.ts';
import { count, counts, dataset, identity, numbers, object, part, real, text, texts } from './form.ts';
import type { Fields } from './form.ts';
import { learner, runPlan } from './plan.ts';

const decision: z.ZodType<Decision> = z.discriminatedUnion('choice', [
  z.looseObject({ choice: z.literal('skip') }),
  z.looseObject({ choice: z.literal('lower-rate'), factor: real }),
  z.looseObject({ choice: z.literal('stop') }),
]);

export const run: Fields<RunDocument> = {
  ...identity,
  recipe: recipeSchema,
  plan: runPlan,
  status: z.enum(['created', 'running', 'finished', 'stopped', 'failed']),
  codeVersion: text,
  environment: texts.optional(),
  datasets: object<RunDocument['datasets']>({ train: dataset, heldOut: dataset }),
  prompts: texts,
  finishedAt: z.date().optional(),
  failure: object<NonNullable<RunDocument['failure']>>({ name: text, message: text }).optional(),
  forkedFrom: object<NonNullable<RunDocument['forkedFrom']>>({
    runId: text,
    version: count,
    set: z.array(text),
  }).optional(),
  changes: z
    .array(
      object<RecipeChange>({
        at: z.date(),
        fromVersion: count.nullable(),
        codeVersion: text,
        fields: z.array(
          object<RecipeChange['fields'][number]>({ path: text, before: z.unknown(), after: z.unknown() }),
        ),
      }),
    )
    .optional(),
  decisions: z
    .array(
      object<NonNullable<RunDocument['decisions']>[number]>({
        id: text,
        at: z.date(),
        about: text,
        failure: text,
        decision,
        undone: z.boolean().optional(),
      }),
    )
    .optional(),
  rollbacks: z
    .array(
      object<NonNullable<RunDocument['rollbacks']>[number]>({
        at: z.date(),
        to: count.nullable(),
        losses: z.array(text),
      }),
    )
    .optional(),
};

export const questionSet: Fields<DatasetDocument> = { ...identity, name: text, count, provenance: z.unknown() };

const codeVerifier = object<CodeVerifier>({
  type: z.literal('code'),
  style: z.enum(['stdio', 'call']),
  functionName: text.nullable(),
  starterCode: text.nullable(),
  argumentsForm: z.enum(['lines', 'array']).optional(),
  tests: z.array(object<CodeTest>({ input: text, expected: text })),
  compare: z.enum(['exact', 'whitespace', 'numeric', 'checker']),
  checker: text.optional(),
  timeLimitMs: real,
  memoryLimitMb: real,
});
const verifier = z.union([
  object<MathVerifier>({ type: z.literal('math'), gold: text }),
  codeVerifier,
  object<OpenVerifier>({ type: z.literal('none') }),
]);
export const question: Fields<QuestionDocument> = {
  ...identity,
  digest: text,
  index: count,
  question: object<Question>({ id: text, text, kind: text.nullable(), difficulty: real.nullable(), verifier }),
};

export const stage: Fields<StageDocument> = {
  ...identity,
  runId: text,
  stage: count,
  learner,
  iterations: count,
  policyIn: count,
  policyOut: count.nullable(),
};

export const iteration: Fields<IterationDocument> = {
  ...identity,
  runId: text,
  stage: count,
  iteration: count,
  learner,
  policyIn: count,
  policyOut: count,
  questions: z.array(text),
  metrics: numbers,
  facts: object<IterationFacts>({
    startedAt: z.date(),
    rolloutMs: real,
    patterns: counts,
    outcomes: counts,
    designerTokens: count,
    executorTokens: count,
  }).optional(),
};

const ropeScaling = object<Llama3RopeScaling>({
  type: z.literal('llama3'),
  factor: real,
  lowFreqFactor: real,
  highFreqFactor: real,
  originalMaxPositions: count,
});
const decoder = object<DecoderConfig>({
  architecture: z.enum(['llama', 'qwen2', 'qwen3']),
  vocabSize: count,
  hiddenSize: count,
  intermediateSize: count,
  numLayers: count,
  numHeads: count,
  numKvHeads: count,
  headDim: count,
  ropeTheta: real,
  ropeScaling: ropeScaling.nullable().optional(),
  rmsNormEps: real,
  tieEmbeddings: z.boolean(),
  maxPositions: count,
  attentionBias: z.boolean(),
  outputBias: z.boolean().optional(),
  qkNorm: z.boolean(),
});
const dtype = z.enum(storedDTypes);

export const policy: Fields<PolicyDocument> = {
  ...identity,
  runId: text,
  version: count,
  parent: count.nullable(),
  madeBy: text,
  decoder,
  lora: object<LoraSpec>({
    rank: count,
    alpha: real,
    targets: z.array(text) as unknown as z.ZodType<LoraSpec['targets']>,
    rankStabilised: z.boolean().optional(),
  }).optional(),
  tokenizer: text,
  folder: object<FolderRecord>({
    files: z.array(object<FolderRecord['files'][number]>({ name: text, digest: text })),
    weights: text,
    dtype,
    others: z.array(object<FolderRecord['others'][number]>({ name: text, dtype })),
  }).optional(),
  parts: z.partialRecord(
    part as z.ZodEnum,
    object<PolicyPartRecord>({
      changedIn: count,
      weights: text,
      base: text.optional(),
      optimizer: text.nullable(),
      optimizerStep: count,
    }),
  ),
  metrics: numbers,
  keep: z.boolean(),
  pins: z.array(text).optional(),
  pruned: object<NonNullable<PolicyDocument['pruned']>>({
    weights: z.literal(true).optional(),
    optimizer: z.literal(true).optional(),
  }).optional(),
};
