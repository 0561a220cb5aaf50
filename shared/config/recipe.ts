/**
 * What a training run is made of. One schema gives type, defaults and validation; unknown keys are errors. Defaults are
 * the paper's settings where it states them (arXiv 2605.14212: M = N = 4, K = 30, Executor first, clip 0.2, no KL, no
 * entropy bonus, learning rate 5e-6, 8 questions an iteration, 8192 response tokens), so a written key is a departure.
 */
import { z } from 'zod';
import { scriptLimitsSchema } from './script-limits.ts';
import { decoderSchema, loraSchema } from './decoder.ts';
import { knownTools } from '../script/api.ts';

const count = z.int().positive();
const share = z.number().min(0).max(1);

const samplingSchema = z.strictObject({
  /** 0 is greedy; 1 keeps sampled and trained distributions equal. */
  temperature: z.number().min(0).max(10).default(1),
  /** Nucleus mass; 1 keeps all tokens. */
  topP: z.number().gt(0).max(1).default(1),
  /** 0 keeps all tokens. */
  topK: z.int().min(0).default(0),
  /** Smallest probability relative to the largest; 0 keeps all tokens. */
  minP: z.number().min(0).lt(1).default(0),
  /** Response tokens, at most. */
  maxTokens: count.default(8192),
  stopStrings: z.array(z.string().min(1)).default([]),
});

const questionSourceSchema = z.discriminatedUnion('type', [
  z.strictObject({
    /** Seeded short word problems (docs/toy.md). */
    type: z.literal('toy'),
    count,
  }),
  z.strictObject({
    /** A questions file (docs/questions.md). */
    type: z.literal('file'),
    path: z.string().min(1),
    /** Use only the first so many. */
    limit: count.optional(),
  }),
]);

const initialPolicySchema = z.discriminatedUnion('type', [
  z.strictObject({
    /** Seeded random weights. */
    type: z.literal('random'),
    decoder: decoderSchema,
    /** Standard deviation of the initial matrices; narrow models learn faster near 1/sqrt(hiddenSize). */
    initialStd: z.number().positive().default(0.02),
    /** A tokenizer.json: a name in runs/assets, or a path. */
    tokenizer: z.string().min(1),
  }),
  z.strictObject({
    /** A Hugging Face folder: config.json, safetensors, tokenizer.json (docs/engine.md). */
    type: z.literal('checkpoint'),
    directory: z.string().min(1),
    /** Longest context in tokens, at most the model's; less saves memory. */
    maxPositions: count.optional(),
  }),
  z.strictObject({
    /** The weights of a committed policy version of another run in the same store. */
    type: z.literal('policy'),
    runId: z.string().min(1),
    version: z.int().min(0),
    /** `kept`: AdamW goes on where that version's was, as a fork does; `fresh`: it begins anew. */
    moments: z.enum(['fresh', 'kept']).default('fresh'),
  }),
  z.strictObject({
    /** A model behind an OpenAI-compatible API: it answers and is not trained (docs/coldstart.md). */
    type: z.literal('endpoint'),
    /** Base URL, e.g. `https://host/v1`. */
    url: z.url({ protocol: /^https?$/ }),
    model: z.string().min(1),
    /** Environment variable of gpu workers that holds the key. */
    keyVariable: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]*$/)
      .default('METAAGENTX_ENDPOINT_KEY'),
    /** Of one worker. */
    requestsPerMinute: z.number().positive().default(60),
    concurrentRequests: count.max(64).default(8),
    timeoutMs: count.default(120_000),
    /** Of one request before its activity is retried. */
    attempts: count.default(5),
  }),
]);

const learningRateSchema = z.number().gt(0).max(1);

const adamFields = {
  beta1: share.default(0.9),
  beta2: share.default(0.999),
  epsilon: z.number().positive().default(1e-8),
  /** Decoupled; matrices only. */
  weightDecay: z.number().min(0).default(0.01),
  /** Clip of the global gradient norm; 0 switches it off. */
  maxGradNorm: z.number().min(0).default(1),
  /** Tokens of one graph run, padding included. */
  maxTokensPerMicroBatch: count.default(8192),
  /** Compute each layer again on the way back: the memory of one layer in place of all, for about a third more work. */
  recompute: z.boolean().default(false),
  /** What linears compute with: `bfloat16` is faster on cards. Weights, sums of gradients and the optimizer stay in float32. */
  precision: z.enum(['float32', 'bfloat16']).default('float32'),
};

const supervisedFields = {
  /** Activities the steps are divided into; each commits a policy version, so a crash costs at most one. */
  chunks: count.default(4),
  /** Optimizer steps in all. */
  steps: count,
  batchSize: count,
  learningRate: learningRateSchema,
  warmupSteps: z.int().min(0).default(0),
  ...adamFields,
};

const coldStartSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({
    /** Supervised fine-tuning on generated designer and executor examples (docs/toy.md). */
    type: z.literal('toy'),
    examples: count,
    /** Share of designer examples. */
    designerShare: share.default(0.5),
    ...supervisedFields,
  }),
  z.strictObject({
    /** Supervised fine-tuning on a set that `coldstart collect` stored (docs/coldstart.md). */
    type: z.literal('set'),
    set: z.string().min(1),
    ...supervisedFields,
  }),
]);

const normalisation = z.enum(['std', 'mean-only', 'leave-one-out']);

export const recipeSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  description: z.string(),
  /** Every random draw of the run derives from it. */
  seed: z.int().min(0).default(0),
  policy: z.strictObject({
    init: initialPolicySchema,
    /** `shared`: one policy plays both roles, told apart by prompts. `split`: one policy a role. */
    layout: z.enum(['shared', 'split']).default('shared'),
    /** Train low-rank adapters (one a role where the layout is `split`) and leave the weights as they are. */
    lora: loraSchema.optional(),
  }),
  questions: z.strictObject({ train: questionSourceSchema, heldOut: questionSourceSchema }),
  coldStart: coldStartSchema.default({ type: 'none' }),
  prompts: z.strictObject({
    /** `terse` for policies that were trained on the script language, `documented` for those that were not. */
    form: z.enum(['terse', 'documented']),
  }),
  designs: z
    .strictObject({
      /** Tools that designs may use; `python` needs a sandbox on gpu workers (docs/sandbox.md). */
      tools: z
        .array(z.enum(knownTools))
        .refine((tools) => new Set(tools).size === tools.length, 'a tool is named twice')
        .default([]),
      /** True: text that a script makes up itself is judged as its answer; otherwise it earns nothing. */
      authoredAnswers: z.boolean().default(false),
      /** One script for every question in place of the Designer's, for baselines that train an agent. */
      script: z.string().min(1).optional(),
    })
    .prefault({}),
  sampling: z
    .strictObject({
      designer: samplingSchema.prefault({}),
      executor: samplingSchema.prefault({}),
      /** Evaluation uses the training settings unless these are given. */
      evaluation: z.strictObject({ designer: samplingSchema, executor: samplingSchema }).optional(),
    })
    .prefault({}),
  rollout: z
    .strictObject({
      questionsPerIteration: count.default(8),
      /** M: designs sampled a question. */
      designsPerQuestion: count.default(4),
      /** N: executions of each design. */
      executionsPerDesign: count.default(4),
      /** Rollout workflows that are open at once. */
      concurrentQuestions: count.max(400).default(64),
      /**
       * What training's samples have linears rounded to: `int8` is faster on processors, `bfloat16` and `float16` on cards
       * (docs/engine.md). Evaluation never rounds, and `update.oldLogProbs: 'auto'` then recomputes.
       */
      weights: z.enum(['float32', 'bfloat16', 'float16', 'int8']).default('float32'),
    })
    .prefault({}),
  /** Limits of one design's script; exceeding one is an outcome, by name. */
  limits: scriptLimitsSchema.prefault({}),
  reward: z
    .strictObject({
      /** Weight of the verifier's ratio. */
      correctness: z.number().default(1),
      /** Added when the execution ended with a typed reply that holds an extractable answer; judged on that alone. */
      answered: z.number().default(0),
    })
    .prefault({}),
  credit: z
    .strictObject({
      /** How a designer's advantage is taken over the designs of its question. */
      designer: normalisation.default('std'),
      executor: z
        .strictObject({
          /** Whose executions share a baseline. */
          group: z.enum(['question', 'design']).default('question'),
          normalise: normalisation.default('std'),
        })
        .prefault({}),
    })
    .prefault({}),
  stages: z
    .strictObject({
      /** `stagewise` alternates; the others are the paper's ablations. */
      scheme: z.enum(['stagewise', 'coupled', 'executor-only', 'designer-only']).default('stagewise'),
      first: z.enum(['executor', 'designer']).default('executor'),
      /** K. */
      iterationsPerStage: count.default(30),
      /** 0: a cold start alone. */
      count: z.int().min(0).default(2),
    })
    .prefault({}),
  update: z
    .strictObject({
      learningRate: learningRateSchema.default(5e-6),
      clipLow: share.default(0.2),
      clipHigh: z.number().min(0).default(0.2),
      /** Weight of a KL penalty (estimator k3) to a reference policy. */
      klCoef: z.number().min(0).default(0),
      /** `start`: the policy that the first stage began with; `stage`: the one that the present stage began with. */
      klReference: z.enum(['start', 'stage']).default('start'),
      /** Weight of an entropy bonus. */
      entropyCoef: z.number().min(0).default(0),
      epochs: count.default(1),
      /** Optimizer steps an epoch. */
      miniBatches: count.default(1),
      /**
       * Activities that compute an update's gradients side by side on any gpu workers; their number changes no bit of the
       * result. Each micro-batch's gradients go through the store. Above 1 an update takes one step (epochs and miniBatches 1).
       */
      gradientShards: count.max(256).default(1),
      /** Leave trajectories with advantage 0 out of the batch: faster; the token mean is then over the others. */
      dropZeroAdvantage: z.boolean().default(false),
      /**
       * `sampled`: ratios against the log-probs recorded at sampling; `recomputed`: against the trainer's own under the
       * sampling version. `auto` recomputes where a sample of the batch was truncated or tempered and where either rounds, so that ratios start at 1.
       */
      oldLogProbs: z.enum(['auto', 'sampled', 'recomputed']).default('auto'),
      /**
       * Old log-probs further than this from the trainer's own raise the metrics `driftedTokens` and `driftAlarm`. By default
       * 1e-3, and 0.25 in `bfloat16`, whose numbers change a little with the shape of a graph run.
       */
      logProbGapLimit: z.number().positive().optional(),
      ...adamFields,
    })
    .prefault({}),
  evaluation: z
    .strictObject({
      /** k of avg@k. */
      samples: count.default(3),
      /** Use only the first so many held-out questions; 0 switches evaluation off. */
      limit: z.int().min(0).optional(),
      everyIterations: z.int().min(0).default(0),
      /** `last`: of the stage ends only the last one; for studies of many short stages. */
      stageEnds: z.enum(['all', 'last']).default('all'),
    })
    .prefault({}),
  retention: z
    .strictObject({
      /** Newest versions whose weights stay; versions at stage ends always do. */
      weights: count.default(10),
      /** Newest versions whose optimizer state stays; versions at stage ends always do. */
      optimizer: count.default(3),
    })
    .prefault({}),
});

/** A recipe as written, before defaults. */
export type RecipeInput = z.input<typeof recipeSchema>;
/** A recipe with every default filled in. */
export type Recipe = z.output<typeof recipeSchema>;
export type QuestionSource = z.output<typeof questionSourceSchema>;
export type Normalisation = z.output<typeof normalisation>;

/** Identity; gives editors the recipe's type. */
export const defineRecipe = (recipe: RecipeInput): RecipeInput => recipe;
