/**
 * What the model's graph builders take and give: the names, dtypes and shapes of each graph's inputs and outputs. The
 * engine that runs the graphs needs this file and the builders' names only.
 *
 * Symbolic dimensions: B rows (sequences), T tokens of the longest row, W cache window. Sequences are right-padded with
 * any valid token id; position t of a row is its t-th token. Parameters go by their Hugging Face names
 * (`parameterShapes`). All scalars have shape [].
 */

import type { Kernels } from '../onnx/emitter.ts';
import type { Constants, OnnxFile } from '../onnx/onnx-model.ts';
import type { LoraSpec } from './lora.ts';

export interface TensorSpec {
  readonly name: string;
  readonly dtype: 'float32' | 'int64' | 'int8';
  /** A number, or the name of a dimension that may differ from run to run but is one value within a run. */
  readonly shape: readonly (number | string)[];
}

/**
 * The first output of every graph's ONNX model, beyond those of its interface: an empty sequence, which the Node binding
 * cannot turn into a value. A run that fetches it, and gives an array for every other output, ends in that error after
 * ONNX Runtime has written the arrays, and before the binding copies each of them once more (about 0.8 ms a MB).
 */
export const inPlaceOutput = 'in_place';

/** A finished graph: an ONNX model and its interface, in order. */
export interface BuiltGraph {
  readonly onnx: OnnxFile;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/**
 * The positions whose targets are scored, as three inputs: `positions` int64 [N], different indices b * T + t;
 * `places` int64 [B*T], for each position its index in `positions`, or N where it is not scored; `targets` int64 [N],
 * the token that should follow each scored position. Vocabulary logits are computed for these only.
 */
export const scoredPositions = ['positions', 'places', 'targets'] as const;

/** Of the graphs over whole sequences. */
export interface AttentionOptions {
  /**
   * Runs of queries that causal attention is computed in; more of them skip more of the masked half of the scores and
   * bound its memory to [B, heads, T / blocks, T]. Must divide T. Default 1.
   */
  readonly attentionBlocks?: number;
}

/** Of every graph of a decoder: its adapters' tensors are parameters like the others (`adapterShapes`). */
export interface AdapterOptions {
  readonly lora?: LoraSpec | null;
}

/** Given: these parameters become constants of the graph (faster small-batch decoding). Absent: they are inputs. */
export interface WeightOptions {
  readonly weights?: Constants;
}

/**
 * What linears are computed in, the head apart: float32, weights and activations rounded to 16 bits (`halfGemm` of
 * graph/ops.ts), or to 8 (`int8Gemm`). Everything between linears is float32.
 */
export const precisions = ['float32', 'bfloat16', 'float16', 'int8'] as const;
export type Precision = (typeof precisions)[number];

/** `int8` is for sampling only: it has no gradient. */
export interface HalfOptions {
  readonly precision?: Exclude<Precision, 'int8'>;
}

/** Of every graph of a decoder. */
export interface KernelOptions {
  readonly kernels?: Kernels;
}

/**
 * Token loss, where lp is the log-probability of the target, w the token's `weight`:
 * - sft: -lp
 * - policy: -min(r A, clip(r, 1 - clipLow, 1 + clipHigh) A) + klCoef * k3 - entropyCoef * entropy, with
 *   r = exp(lp - old_log_prob), k3 = exp(ref - lp) - (ref - lp) - 1 (Schulman's estimator of KL(policy || ref)).
 * The loss is the sum of w * token loss over the batch.
 */
export type LossSpec =
  | { readonly type: 'sft' }
  | {
      readonly type: 'policy';
      readonly clipLow: number;
      readonly clipHigh: number;
      readonly klCoef: number;
      readonly entropyCoef: number;
    };

/**
 * `buildGradientGraph(config, options)`.
 *
 * Inputs: parameters; `input_ids` int64 [B, T]; the scored positions, of which there are N, see `ScoredPositions`;
 * `weight` [N] (normalised by the caller, so weights of all micro-batches of a step sum to 1);
 * policy loss: `advantage` [N], `old_log_prob` [N], and `ref_log_prob` [N] when klCoef > 0;
 * `accumulate`: `accum.<parameter>` of each trainable parameter's shape.
 *
 * Outputs: `loss` []; `log_prob` [N]; `entropy` [N] (nats); policy: weighted sums over tokens `ratio` [] (of r),
 * `clip_fraction` [] (of 1 where the clip removes the gradient), `kl` [] (of k3 against `old_log_prob`) and, when klCoef
 * is above 0, `reference_kl` [] (of k3 against `ref_log_prob`); `grad.<parameter>` for each trainable parameter (plus `accum.<parameter>`).
 */
export interface GradientGraphOptions
  extends AttentionOptions, AdapterOptions, WeightOptions, HalfOptions, KernelOptions {
  readonly loss: LossSpec;
  /** Add the new gradients to `accum.<parameter>` inputs; feed and fetch may be the same Float32Array. */
  readonly accumulate?: boolean;
  /** Compute the vocabulary loss in this many pieces of the N positions, to bound memory at [N/pieces, V]. */
  readonly lossChunks?: number;
  /**
   * Keep only what each layer begins with and compute the rest again on the way back: the memory of one layer in place of
   * all, for about a third more work. Changes no result.
   */
  readonly recompute?: boolean;
  /** Parameters to differentiate; by default all, or with `lora` the adapters alone. */
  readonly trainable?: (name: string) => boolean;
}

/**
 * `buildMiniBatchGraph(config, options)`: `buildGradientGraph` over M micro-batches, one after the other in one run, so that on
 * a device weights go in and gradients come out once for all of them. Inputs: parameters; `spans` int64 [M, 6], of each
 * micro-batch its B and T, its first cell and the cell after its last, its first scored position and the one after its last;
 * `all.<input>` for each input of that graph but the parameters: the micro-batches' own, flat and joined, [C] for all cells
 * and [S] for all scored positions.
 * Outputs: `log_prob`, `entropy` [S]; the scalars of that graph as [M]; `grad.<parameter>`, added up over the
 * micro-batches in their order.
 */
export type MiniBatchGraphOptions = Omit<GradientGraphOptions, 'accumulate'>;

/**
 * `buildLogProbGraph(config, options)`. Inputs: parameters; `input_ids` int64 [B, T]; the scored positions.
 * Outputs: `log_prob` [N], `entropy` [N].
 */
export interface LogProbGraphOptions
  extends WeightOptions, AttentionOptions, AdapterOptions, HalfOptions, KernelOptions {
  readonly lossChunks?: number;
}

/**
 * `buildAdamWGraph(shapes, options)`: decoupled weight decay (Loshchilov and Hutter 2019) with bias correction, as
 * torch.optim.AdamW, after torch's clip_grad_norm_.
 *
 * Inputs, for each name of `shapes`: `<name>`, `m.<name>`, `v.<name>`, `grad.<name>`; `learning_rate` [],
 * `bias_correction1` [] = 1 - beta1^t, `bias_correction2` [] = 1 - beta2^t, t = 1 at the first step.
 * Outputs: `next.<name>`, `next.m.<name>`, `next.v.<name>`, `grad_norm` [] (before clipping).
 * Each `next.*` may be fetched into the very array that is fed: no output is written before all inputs it needs are read.
 */
export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
  /** Largest global gradient norm; null for no clipping. */
  readonly maxGradNorm: number | null;
  /** Parameters that weight decay applies to; those of two or more dimensions by default. */
  readonly decays?: (name: string, shape: readonly number[]) => boolean;
}

/**
 * `buildPrefillGraph(config, options)`. Inputs: parameters; `input_ids` int64 [B, T]; `last` int64 [L], positions b * T + t.
 * Outputs: `logits` [L, V] after the token at each of them; per layer l `k.<l>`, `v.<l>` [B, numKvHeads, T, headDim]
 * (entries at or beyond a row's length are of padding tokens: finite and meaningless).
 *
 * `buildDecodeGraph(config, options)`: one token for each row. Inputs: parameters; `input_ids` int64 [B]; `lengths`
 * int64 [B], tokens already in each row's cache, which is also the new token's position; per layer `past_k.<l>`,
 * `past_v.<l>` [B, numKvHeads, W, headDim], row-major and start-aligned: entry j of a row is its token j, entries at or
 * beyond its length are not looked at.
 * Outputs: `logits` [B, V]; per layer `next_k.<l>`, `next_v.<l>`, the caches with the new token's keys and values at
 * [row, head, lengths[row], :]. Fetched into the very arrays that are fed they are written in place, without a copy.
 * Removing a row = moving the last row's cache over it.
 *
 * Bit-exact rows: with one intra-op thread a row's outputs depend neither on its neighbours nor on B, nor a decode step's on W,
 * which is more than every length. A decode step needs B >= 2 for it (pad with any row); a prefill needs L >= 2, and its
 * outputs depend on T unless that is a multiple of `cacheWindowMultiple`. Chunks of steps need such a W too.
 */
export interface GenerationGraphOptions extends WeightOptions, AdapterOptions, KernelOptions {
  /** With `int8` linears take `int8Tensors` in place of their weights. */
  readonly precision?: Precision;
}

/**
 * `buildDecodeChunkGraph(config, options)`: up to `chunk` steps of `buildDecodeGraph` and the draws between them. Inputs:
 * parameters; `input_ids`, `lengths` and `past_*` of the first step; `temperature`, `top_p`, `min_p` [B, 2] as in
 * `SamplingSettings`, each the sum of two float32; `top_k` int64 [B]; `uniform` [chunk, B, 2], the numbers in [0, 1) that tokens
 * are drawn with; `stop_ids` int64 [B, S], some id beyond the vocabulary for none; `limits` int64 [B], the tokens that a row may still have.
 * Outputs: `tokens`, `log_probs` [chunk, B]; per layer `k.<l>`, `v.<l>` [B, numKvHeads, chunk, headDim], entry i to be
 * written at [row, head, lengths[row] + i, :]. A row's entries after its stop token or its limit mean nothing; the steps end
 * when all rows have.
 */
export interface DecodeChunkOptions extends GenerationGraphOptions {
  readonly chunk: number;
  /** Whether a row may have a top-k or a top-p; without them no row is sorted. */
  readonly truncates: boolean;
}

/** The decode graph's heads are as wide as a multiple of this; chunks of steps take any width. */
export const decodeHeadMultiple = 8;

/** W of a cache is a multiple of this (see above). */
export const cacheWindowMultiple = 64;
