/**
 * What the policy engine promises to those who sample from it and train with it. The engine knows weights, token ids
 * and settings; it knows no roles, no rewards, no chat templates and no database.
 *
 * Pure in, pure out: a resident version's tensors never change. `update` and `sft` read one version and make another,
 * so a repeated call gives the same bits.
 */
import type { ExecutionProvider } from './execution-provider.ts';
import type { DecoderConfig } from '../../../shared/model/config.ts';
import type { Precision } from '../../../shared/model/interface.ts';
import type { LoraSpec } from '../../../shared/model/lora.ts';
import type { SampledTokens, SamplingSettings } from '../../../shared/domain/sampling.ts';

/** Tensors by name, row-major. Names are those of `shared/model` (Hugging Face names of the decoder). */
export type Tensors = Map<string, Float32Array>;

/** AdamW moments, by the same names as the parameters, and the number of steps taken. */
export interface OptimizerState {
  m: Tensors;
  v: Tensors;
  step: number;
}

export interface EngineOptions {
  executionProvider: ExecutionProvider;
  /** Threads of a decode graph. 1 is best for small models. */
  decodeThreads: number;
  /** Threads of a training graph. */
  trainThreads: number;
  /** Whether idle graph threads spin; false where other processes share the cores. */
  spin: boolean;
  /** Calls that are generated together, at most. */
  maxBatch: number;
  /**
   * The weights under adapters become constants of training sessions: on a device they stay there, and do not cross the bus
   * at each run. Default: on `cuda`.
   */
  constantBase?: boolean;
  /**
   * All micro-batches of a mini-batch run in one graph, which adds their gradients up: on a device, weights go in and gradients
   * come out once for all of them, for the memory of one more set of gradients. Default: on `cuda`.
   */
  wholeMiniBatches?: boolean;
  /** Tokens that one graph run decodes for every call; more than 1 is for devices, where each run moves the cache. Default 1. */
  decodeChunk?: number;
  /** Tokens of one prefill graph run, padding included, at most. */
  maxPrefillTokens: number;
  /**
   * Weights of up to so many bytes become constants of a version's own generation sessions: faster, for a copy of them in each of
   * up to three sessions and the time to make these. Larger ones are inputs of sessions that all versions share, and cross a
   * card's bus at each run. Default 512 MiB on `cpu`, 16 GiB on `cuda`.
   */
  constantWeightBytes?: number;
}

/**
 * What linears of a training, and of log-probs computed for it, are rounded to. There is no `float16`: gradients of a mean over
 * thousands of tokens are below its smallest number (6e-8).
 */
export const trainingPrecisions = ['float32', 'bfloat16'] as const;
export type TrainingPrecision = (typeof trainingPrecisions)[number];

export interface PolicySource {
  version: string;
  config: DecoderConfig;
  /** The text of tokenizer.json; stop strings are found in decoded text. */
  tokenizerJson: string;
  /** The text of tokenizer_config.json, where there is one. */
  tokenizerConfigJson?: string;
  /** Ids that end a turn besides those that the tokenizer names. */
  endOfTurnIds?: readonly number[];
  /** All tensors of the decoder, or with `adapts` the adapter's. */
  parameters: Tensors;
  /** Makes this version an adapter on a resident version's weights, which it shares and which training leaves alone. */
  adapts?: { version: string; lora: LoraSpec };
  /** Absent: moments are zero and the step is 0. */
  optimizer?: OptimizerState;
  /** Why nothing may be learned from this version, and what to do about it; absent: anything may. */
  untrainable?: string;
}

export interface GenerateRequest {
  version: string;
  promptIds: Int32Array;
  sampling: SamplingSettings;
  /** Path of this call; token t is drawn with `uniform(seedKey, t)`. */
  seedKey: string;
  /**
   * What the version's linears are rounded to; default `float32`. The others are faster where the hardware has products for
   * them, and another distribution, close by: the log-probs are that one's, and training has to compute them again.
   */
  weights?: Precision;
  /** Token ids that end the response; default: the tokenizer's end-of-turn ids. */
  stopTokenIds?: readonly number[];
}

/** A response to learn from. Every response token counts in the loss. */
export interface TrainingSequence {
  /** Named in failures. */
  id: string;
  promptIds: Int32Array;
  responseIds: Int32Array;
  /** One number for all tokens of the response. */
  advantage: number;
  /** Log-probs of `responseIds` under the version that sampled them, one a token. */
  oldLogProbs: Float32Array;
  /** Log-probs under the reference policy, one a token; needed where `klCoef` is above 0. */
  referenceLogProbs?: Float32Array;
}

export interface SupervisedExample {
  id: string;
  promptIds: Int32Array;
  responseIds: Int32Array;
}

export interface AdamSettings {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Decoupled; applies to matrices, not to norm weights. */
  weightDecay: number;
  /** Clip of the global gradient norm; 0 switches it off. */
  maxGradNorm: number;
  /** Keep one layer's memory in place of all, for about a third more work; changes no result. Off by default. */
  recompute?: boolean;
  /** Of linears; gradients are added up, and the weights kept, in float32 whatever it is. Default `float32`. */
  precision?: TrainingPrecision;
}

export interface UpdateSettings extends AdamSettings {
  /** Ratio bounds: [1 - clipLow, 1 + clipHigh]. */
  clipLow: number;
  clipHigh: number;
  /** Weight of the KL estimate to the reference (k3); 0 switches it off. */
  klCoef: number;
  /** Weight of the entropy bonus; 0 switches it off. */
  entropyCoef: number;
  /** Passes over the sequences. */
  epochs: number;
  /** Optimizer steps a pass. */
  miniBatches: number;
  /** Tokens of one graph run, padding included, at most; a longer sequence runs alone. */
  maxTokensPerMicroBatch: number;
  /** Path that orders sequences into mini-batches. */
  orderKey: string;
  /** Old log-probs further than this from those recomputed at the first step raise the drift alarm; off by default. */
  logProbGapLimit?: number;
}

export interface SftSettings extends AdamSettings {
  steps: number;
  batchSize: number;
  /** Linear warm-up, then `schedule` down to `finalLearningRate`. */
  warmupSteps: number;
  schedule: 'constant' | 'linear' | 'cosine';
  finalLearningRate: number;
  maxTokensPerMicroBatch: number;
  /** Path that orders the examples; each pass over them is a new permutation. */
  orderKey: string;
}

export interface UpdateRequest {
  baseVersion: string;
  /** Resident when the promise resolves. */
  newVersion: string;
  sequences: readonly TrainingSequence[];
  settings: UpdateSettings;
}

/** Part `index` (from 0) of `of` parts of a mini-batch's micro-batches, in their order. */
export interface GradientShare {
  index: number;
  of: number;
}

/** What of an update's gradients to compute; its settings take one step. */
export interface GradientRequest extends Omit<UpdateRequest, 'newVersion'> {
  share: GradientShare;
}

/** Sums over one micro-batch's tokens by name (`training-tally.ts`). */
export type TallyNumbers = Record<string, number>;

export interface MicroBatchGradient {
  /** By the names of what is learned. */
  gradients: Tensors;
  /** Its share of the mini-batch's loss. */
  loss: number;
  tally: TallyNumbers;
  /** Memory had run out before: it was computed in halves, whose sum has other last bits. */
  halved: boolean;
}

/** One step with gradients that were added up elsewhere. */
export interface StepRequest {
  baseVersion: string;
  /** Resident when the promise resolves. */
  newVersion: string;
  /** Of the whole mini-batch. */
  gradients: Tensors;
  settings: AdamSettings;
  /** Named in failures. */
  sequences: readonly { id: string }[];
  /** What is known of the update; the step adds its gradient norm and its time. */
  metrics: Omit<TrainMetrics, 'gradNorm' | 'durationMs'>;
}

export interface SftRequest {
  baseVersion: string;
  newVersion: string;
  examples: readonly SupervisedExample[];
  settings: SftSettings;
}

/** Means over the response tokens of all optimizer steps, unless the name says otherwise. */
export interface TrainMetrics {
  loss: number;
  /** Before clipping, mean over steps. */
  gradNorm: number;
  /** Share of tokens whose ratio was held by the clip. */
  clipFraction: number;
  meanRatio: number;
  /** Nats a token. */
  entropy: number;
  /** KL to the sampling version: mean of 1 / ratio + ln ratio - 1 (k3). */
  approxKl: number;
  /** KL to the reference (k3); 0 where it is off. */
  referenceKl: number;
  /** Largest |recomputed - old| log-prob of a token at the first step, before any change of weights. */
  maxLogProbGap: number;
  /** Tokens of the first step whose gap is beyond `logProbGapLimit`. */
  driftedTokens: number;
  /** 1 where a token drifted: sampling and training do not compute the same policy; else 0. */
  driftAlarm: number;
  /** Response tokens that were counted, over all steps. */
  tokens: number;
  /** Share of the graph runs' cells that held no token. */
  padding: number;
  steps: number;
  /** 1 where memory ran out once and the rest ran in micro-batches of half the size; else 0. */
  memoryHalvings: number;
  /** Loss of each optimizer step. */
  lossByStep: number[];
  /** Wall time in the engine. */
  durationMs: number;
}

export interface TrainResult {
  version: string;
  /** What was learned: all tensors, or those of the adapter. Copies; the caller may keep or change them. */
  parameters: Tensors;
  optimizer: OptimizerState;
  metrics: TrainMetrics;
}

export interface TrainProgress {
  step: number;
  steps: number;
  loss: number;
}

/** The control of one long request. */
export interface RequestControl {
  signal?: AbortSignal;
  onProgress?: (progress: TrainProgress) => void;
}

export interface LogProbRequest {
  version: string;
  sequences: readonly { promptIds: Int32Array; responseIds: Int32Array }[];
  maxTokensPerMicroBatch?: number;
  /** Of linears; default `float32`. */
  precision?: TrainingPrecision;
}

export interface EngineStats {
  versions: string[];
  /** Response tokens since the start. */
  generatedTokens: number;
  prefilledTokens: number;
  /** Prompt tokens that were copied from an identical prompt's prefill. */
  sharedPrefillTokens: number;
  decodeSteps: number;
  /** Mean calls a decode step. */
  meanBatch: number;
  /** Time inside prefill and decode, draws included. */
  generateMs: number;
  /** Generated tokens a second of `generateMs`. */
  tokensPerSecond: number;
  /** Calls that wait for a slot now, and those that have one. */
  waiting: number;
  active: number;
  /** Mean wait of an admitted call. */
  meanQueueMs: number;
  updates: number;
  trainedTokens: number;
  trainMs: number;
}

/**
 * One engine. Every promise may reject with a `DomainError`: `InvalidInput` (bad request, unknown version),
 * `UnsupportedModel`, `NonFiniteLoss`, `EngineDied`, `CheckpointMissing` (training from a version that is `untrainable`); an
 * aborted signal rejects with the signal's reason.
 */
export interface PolicyEngine {
  /** What the engine promises about results; a run records it. */
  readonly promises: EnginePromises;
  /**
   * Takes the tensors over: the caller's arrays must not be used afterwards. A version that is already resident is left
   * as it is.
   */
  loadPolicy(source: PolicySource): Promise<void>;
  hasPolicy(version: string): Promise<boolean>;
  /**
   * Takes its name from the version at once, so that it can be loaded again; resolves when the calls that are generating from
   * it have ended and its memory is free. Unknown versions are ignored.
   */
  unloadPolicy(version: string): Promise<void>;
  generate(request: GenerateRequest, control?: Pick<RequestControl, 'signal'>): Promise<SampledTokens>;
  update(request: UpdateRequest, control?: RequestControl): Promise<TrainResult>;
  sft(request: SftRequest, control?: RequestControl): Promise<TrainResult>;
  /** A share of an update's gradients, one a micro-batch. */
  gradients(request: GradientRequest, control?: RequestControl): Promise<MicroBatchGradient[]>;
  step(request: StepRequest): Promise<TrainResult>;
  /** Log-probs of each response at temperature 1, no truncation. */
  logProbs(request: LogProbRequest, control?: Pick<RequestControl, 'signal'>): Promise<Float32Array[]>;
  stats(): Promise<EngineStats>;
  /** Ends the engine; pending requests reject with `EngineDied`. */
  close(): Promise<void>;
}

export interface EnginePromises {
  /** A call's tokens do not depend on the calls that share its batch. */
  batchInvariant: boolean;
  /** The same update gives the same bits on the same kind of machine. */
  bitReproducibleUpdates: boolean;
}
