/**
 * The closed set of operations a graph is made of, with each one's attributes. Every rule table (shapes, gradients,
 * reference arithmetic, ONNX) is total over this set: add an op here and the compiler lists what is missing
 * (docs/adding-an-op.md).
 */
import type { Dim, Shape } from './dims.ts';

export type DType = 'float32' | 'int64' | 'bool' | 'int8';

/** Floats of 16 bits that products may be rounded to: 8 exponent and 7 fraction bits, or 5 and 10. */
export type HalfFormat = 'bfloat16' | 'float16';

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A row of `int8Gemm` whose largest entry is less is rounded as if it were this: float32 divides nothing by 0. */
export const smallestRow = 2 ** -100;

/** No attributes. */
export type None = Readonly<Record<never, never>>;

export interface CausalAttention {
  readonly headDim: number;
  readonly blocks: number;
}

export interface OpAttributes {
  // Leaves
  input: { readonly name: string; readonly type: TensorType };
  /** Fixed data, row-major; int64 data as safe integers. */
  constant: { readonly type: TensorType; readonly data: Float32Array | readonly number[] };
  /** Every entry is `value`. */
  full: { readonly shape: Shape; readonly value: number };
  /** 0, 1, ..., size - 1 as int64. */
  iota: { readonly size: Dim };

  // Elementwise, one operand
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  reciprocal: None;
  sigmoid: None;
  clip: { readonly low: number; readonly high: number };
  cast: { readonly to: DType };

  // Elementwise with broadcasting
  add: None;
  sub: None;
  mul: None;
  div: None;
  minimum: None;
  /** a < b, as bool. */
  less: None;
  /** (condition, a, b): a where the condition holds, else b. */
  where: None;

  // Reduction and layout
  /** Sum over `axes`, which stay as 1 with `keepDims`. */
  sum: { readonly axes: readonly number[]; readonly keepDims: boolean };
  reshape: { readonly shape: Shape };
  transpose: { readonly perm: readonly number[] };
  /** Broadcast to `shape`. */
  expand: { readonly shape: Shape };
  /** Entries start to end - 1 of `axis`; end null = to the last. */
  slice: { readonly axis: number; readonly start: number; readonly end: number | null };
  concat: { readonly axis: number };
  /** (x, y, ...): x as it is, but not before every y is there (gradient.ts, recomputation). */
  after: None;
  /** `parts` outputs that cut axis 0 into equal pieces, the last one smaller if need be. */
  split: { readonly parts: number };

  // Linear algebra
  /** (a, b[, c]): alpha * op(a) op(b) + c for matrices; c broadcasts to the result. */
  gemm: { readonly transA: boolean; readonly transB: boolean; readonly alpha: number };
  /**
   * (a, b): as `gemm`, with a, b and the result each rounded to 16 bits; products are summed in float32. Its gradients are such
   * products too (Micikevicius et al. 2018, "Mixed Precision Training"): what adds them up does so in float32.
   */
  halfGemm: OpAttributes['gemm'] & { readonly format: HalfFormat };
  /**
   * (x [N, K], w int8 [K, M], scale [M]) -> x w * scale [N, M], with each row of x rounded to 8 bits of its own scale
   * max|x| / 127: products and sums are then of integers, so a row depends on no other and on no order of summation.
   */
  int8Gemm: None;
  /** (a, b): alpha * op(a) op(b) over the last two axes; the leading axes are equal. */
  batchMatmul: { readonly transA: boolean; readonly transB: boolean; readonly alpha: number };

  // Networks
  /** (x, gate), of one shape: silu(gate) * x and silu(gate) = gate * sigmoid(gate) (Shazeer 2020, "GLU Variants"). */
  swiglu: None;
  /** Over the last axis. */
  softmax: None;
  /**
   * (q [B, T, heads * D], k, v [B, T, kvHeads * D]) -> attended heads [B, T, heads * D]: each token attends to itself and
   * those before it, scores scaled by 1 / sqrt(D); neighbouring heads share a key head. `blocks` is how many runs of
   * queries it is computed in, each against no later key than it needs; it divides T and changes no result.
   */
  causalAttend: CausalAttention;
  /** (q, k, v, out, gradient of out) -> gradients of q, k and v. */
  causalAttendGradient: CausalAttention;
  /**
   * (q [B, 1, heads * D], k, v [B, 1, kvHeads * D], keys, values [B, kvHeads, W, D], last int64 [B]) -> attended heads
   * [B, 1, heads * D], and the caches with k and v of row b as entry last[b]: each row's query attends to its entries 0 to
   * last[b], scores scaled by 1 / sqrt(D); neighbouring heads share a key head. Further entries mean nothing.
   */
  cacheAttend: None;
  /** (x [N, D], weight [D]) -> x * r * weight [N, D], r = 1 / sqrt(mean(x^2) + eps) [N, 1]. */
  rmsNorm: { readonly eps: number };
  /**
   * (x [B, T, heads * headDim], positions int64 [B, T] or [1], cos, sin [P, headDim / 2]): rotary position embedding
   * (Su et al. 2021) that pairs entry i with i + headDim / 2. One position p stands for p, p + 1, ... in every row.
   */
  rope: { readonly headDim: number };
  /** (table [V, D], ids int64 [N]) -> table[ids] [N, D]. */
  gatherRows: None;
  /**
   * (x [M, D], rows int64 [N], places int64 [M]) -> x[rows] [N, D], for rows that are all different. `places` is the way
   * back, which the gradient takes: the n for which rows[n] = m, or N where there is none.
   */
  pickRows: None;
  /** (base [V, D], ids int64 [N], rows [N, D]): base with row n added at ids[n]; repeated ids add up. */
  scatterRows: None;
  /** (logits [N, V], probs = softmax(logits), targets int64 [N]) -> log probs[n, targets[n]], computed stably [N]. */
  targetLogProb: None;
  /** (probs [N, V], targets int64 [N], g [N]) -> g * (onehot(targets) - probs) [N, V]. */
  targetScatter: None;
  /** (logits [N, V], probs = softmax(logits)) -> entropy in nats [N], mean logit under probs [N]. */
  entropy: None;
}

export type OpName = keyof OpAttributes;
