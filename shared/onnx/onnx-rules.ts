/**
 * How each op is written in ONNX: standard operators, and ONNX Runtime's own (com.microsoft) where they are faster on
 * its CPU provider. Operators that only ONNX Runtime's training build has are composed. ScatterND is avoided: with
 * several threads it loses updates of repeated indices; ScatterElements does not.
 */
import type { Shape } from '../graph/dims.ts';
import { smallestRow, type OpAttributes, type OpName, type TensorType } from '../graph/ops.ts';
import { emitAttention, emitAttentionGradient } from './attention-rules.ts';
import { emitCacheAttention } from './cache-attention.ts';
import { microsoft, type EmitOptions, type Emitter } from './emitter.ts';
import { isOverRows, matrixShape, rowsOnce, sumOfRows } from './ordered-sums.ts';

interface OnnxRuleInput<K extends OpName> {
  readonly emitter: Emitter;
  readonly attributes: OpAttributes[K];
  /** Names and types of the node's inputs. */
  readonly x: readonly string[];
  readonly types: readonly TensorType[];
  /** Names to give the outputs. */
  readonly y: readonly string[];
  readonly outputTypes: readonly TensorType[];
}
type OnnxRule<K extends OpName> = (input: OnnxRuleInput<K>) => void;
type OnnxRules = { readonly [K in OpName]: OnnxRule<K> };

/** A single ONNX node with the op's own inputs and outputs. */
const direct =
  (type: string, options: Omit<EmitOptions, 'outputs'> = {}) =>
  ({ emitter, x, y }: Pick<OnnxRuleInput<OpName>, 'emitter' | 'x' | 'y'>): void => {
    emitter.emit(type, x, { ...options, outputs: y });
  };

const intsOf = (shape: Shape): number[] => shape.map((dim) => (typeof dim === 'number' ? dim : -1));
const lastAxis = { axis: -1 } as const;

const productAttributes = ({ transA, transB, alpha }: OpAttributes['gemm']) => ({
  transA: Number(transA),
  transB: Number(transB),
  alpha: { float: alpha },
});

/** [N] as [N, 1]. */
const asColumn = (emitter: Emitter, x: string): string => emitter.emit('Unsqueeze', [x, emitter.ints([1])]);
/** max + log(sum of exponentials) less the maximum: -log of the largest probability. [N, 1] */
const negLogTop = (emitter: Emitter, probs: string): string =>
  emitter.emit('Neg', [emitter.emit('Log', [emitter.emit('ReduceMax', [probs, emitter.ints([1])])])]);

/** What stands for 0 in a byte without a sign; kernels for unsigned times signed bytes are the fast ones. */
const middle = 128;

/** x [N, K] as bytes, each row in units of its own [N, 1]. */
function rowsInBytes(emitter: Emitter, x: string): { whole: string; unit: string } {
  const scalar = (value: number) => emitter.constant('float32', [], [value]);
  const largest = emitter.emit('ReduceMax', [emitter.emit('Abs', [x]), emitter.ints([1])]);
  const unit = emitter.emit('Mul', [emitter.emit('Max', [largest, scalar(smallestRow)]), scalar(1 / 127)]);
  const units = emitter.emit('Div', [x, unit]);
  return { whole: emitter.emit('QuantizeLinear', [units, scalar(1), emitter.constant('uint8', [], [middle])]), unit };
}

export const onnxRules: OnnxRules = {
  input: () => undefined,
  constant: ({ emitter, attributes: { type, data }, y }) => {
    emitter.constants.push({ name: y[0]!, dtype: type.dtype, shape: intsOf(type.shape), data });
  },
  full: ({ emitter, attributes: { shape, value }, y }) => {
    emitter.emit('Expand', [emitter.constant('float32', [], [value]), emitter.shape(shape)], { outputs: y });
  },
  iota: ({ emitter, attributes: { size }, y }) => {
    const end = emitter.emit('Squeeze', [emitter.dim(size)]);
    emitter.emit('Range', [emitter.constant('int64', [], [0]), end, emitter.constant('int64', [], [1])], {
      outputs: y,
    });
  },

  neg: direct('Neg'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  reciprocal: direct('Reciprocal'),
  sigmoid: direct('Sigmoid'),
  clip: ({ emitter, attributes: { low, high }, x, y }) => {
    const bound = (value: number) => emitter.constant('float32', [], [value]);
    emitter.emit('Clip', [x[0]!, bound(low), bound(high)], { outputs: y });
  },
  cast: ({ emitter, attributes: { to }, x, y: outputs }) => {
    emitter.cast(x[0]!, to, { outputs });
  },

  add: direct('Add'),
  sub: direct('Sub'),
  mul: direct('Mul'),
  div: direct('Div'),
  minimum: direct('Min'),
  less: direct('Less'),
  where: direct('Where'),

  sum: ({ emitter, attributes: { axes, keepDims }, x, types, y, outputTypes }) => {
    if (emitter.kernels === 'cuda' && isOverRows(axes, types[0]!.shape)) {
      const flat = emitter.emit('Reshape', [x[0]!, emitter.shape(matrixShape(axes, types[0]!.shape))]);
      emitter.emit('Reshape', [sumOfRows(emitter, flat), emitter.shape(outputTypes[0]!.shape)], { outputs: y });
      return;
    }
    emitter.emit('ReduceSum', [x[0]!, emitter.ints(axes)], { attributes: { keepdims: Number(keepDims) }, outputs: y });
  },
  reshape: ({ emitter, attributes: { shape }, x, y }) => {
    emitter.emit('Reshape', [x[0]!, emitter.shape(shape, true)], { outputs: y });
  },
  transpose: ({ emitter, attributes: { perm }, x, y }) => {
    emitter.emit('Transpose', x, { attributes: { perm: { ints: perm } }, outputs: y });
  },
  expand: ({ emitter, attributes: { shape }, x, y }) => {
    emitter.emit('Expand', [x[0]!, emitter.shape(shape)], { outputs: y });
  },
  slice: ({ emitter, attributes: { axis, start, end }, x, y }) => {
    const [from, to] = [emitter.ints([start]), emitter.ints([end ?? Number.MAX_SAFE_INTEGER])];
    emitter.emit('Slice', [x[0]!, from, to, emitter.ints([axis])], { outputs: y });
  },
  concat: ({ emitter, attributes: { axis }, x, y }) => {
    emitter.emit('Concat', x, { attributes: { axis }, outputs: y });
  },
  // Sizes are given, for ONNX refuses to cut an axis into more parts than it has entries.
  split: ({ emitter, outputTypes, x, y }) => {
    const sizes = emitter.shape(outputTypes.map(({ shape }) => shape[0]!));
    emitter.emit('Split', [x[0]!, sizes], { attributes: { axis: 0 }, outputs: y });
  },

  gemm: ({ emitter, attributes, x, y }) => {
    emitter.emit('Gemm', x, { attributes: productAttributes(attributes), outputs: y });
  },
  halfGemm: ({ emitter, attributes: { format, ...attributes }, x, y: outputs }) => {
    const halves = x.map((name) => emitter.half(name, format));
    const product = emitter.emit('Gemm', halves, { attributes: productAttributes(attributes) });
    emitter.cast(emitter.kernels === 'cuda' ? product : emitter.cast(product, format), 'float32', { outputs });
  },
  int8Gemm: ({ emitter, x: [x, w, scale], y }) => {
    const { whole, unit } = emitter.once(`8 bits of ${x}`, () => rowsInBytes(emitter, x!));
    const sums = emitter.emit('MatMulInteger', [whole, w!, emitter.constant('uint8', [], [middle])]);
    const floats = emitter.cast(sums, 'float32');
    emitter.emit('Mul', [emitter.emit('Mul', [floats, unit]), scale!], { outputs: y });
  },
  batchMatmul: ({ emitter, attributes, x, y }) => {
    emitter.emit('FusedMatMul', x, { domain: microsoft, attributes: productAttributes(attributes), outputs: y });
  },

  softmax: direct('Softmax', { attributes: lastAxis }),
  causalAttend: emitAttention,
  causalAttendGradient: emitAttentionGradient,
  cacheAttend: emitCacheAttention,
  swiglu: ({ emitter, x: [x, gate], y: [y, opened] }) => {
    emitter.emit('QuickGelu', [gate!], { domain: microsoft, attributes: { alpha: { float: 1 } }, outputs: [opened!] });
    emitter.emit('Mul', [opened!, x!], { outputs: [y!] });
  },
  rmsNorm: ({ emitter, attributes: { eps }, x, y }) => {
    const attributes = { axis: -1, epsilon: { float: eps }, stash_type: 1 };
    emitter.emit('SimplifiedLayerNormalization', x, { attributes, outputs: y });
  },
  rope: ({ emitter, x, y }) => {
    emitter.emit('RotaryEmbedding', x, { domain: microsoft, outputs: y });
  },
  gatherRows: direct('Gather', { attributes: { axis: 0 } }),
  // Nothing of the others joins x, but the runtime must wait for them, and cannot take the result for x itself.
  after: ({ emitter, types, x: [x, ...others], y: outputs }) => {
    const zero = emitter.ints([0]);
    const shape = emitter.emit('Concat', [zero, emitter.shape(types[0]!.shape.slice(1))], { attributes: { axis: 0 } });
    const nothing = others.map((y) => {
      const flat = emitter.emit('Reshape', [y, emitter.ints([-1])]);
      const none = emitter.emit('Slice', [flat, zero, zero, zero]);
      return emitter.emit('Reshape', [none, shape], { attributes: { allowzero: 1 } });
    });
    emitter.emit('Concat', [x!, ...nothing], { attributes: { axis: 0 }, outputs });
  },
  pickRows: ({ emitter, x: [x, rows], y }) => {
    emitter.emit('Gather', [x!, rows!], { attributes: { axis: 0 }, outputs: y });
  },
  scatterRows: ({ emitter, types, x: [base, ids, rows], y }) => {
    const indices = emitter.emit('Expand', [asColumn(emitter, ids!), emitter.shape(types[2]!.shape)]);
    const shares = emitter.kernels === 'cuda' ? rowsOnce(emitter, ids!, rows!, types[2]!.shape[0]!) : rows!;
    emitter.emit('ScatterElements', [base!, indices, shares], {
      attributes: { axis: 0, reduction: 'add' },
      outputs: y,
    });
  },
  targetLogProb: ({ emitter, x: [logits, probs, targets], y }) => {
    const chosen = emitter.emit('GatherElements', [logits!, asColumn(emitter, targets!)], { attributes: { axis: 1 } });
    const top = emitter.emit('ReduceMax', [logits!, emitter.ints([1])]);
    const column = emitter.emit('Sub', [emitter.emit('Sub', [chosen, top]), negLogTop(emitter, probs!)]);
    emitter.emit('Squeeze', [column, emitter.ints([1])], { outputs: y });
  },
  targetScatter: ({ emitter, x: [probs, targets, g], y }) => {
    const weights = asColumn(emitter, g!);
    const spread = emitter.emit('Mul', [probs!, emitter.emit('Neg', [weights])]);
    const attributes = { axis: 1, reduction: 'add' };
    emitter.emit('ScatterElements', [spread, asColumn(emitter, targets!), weights], { attributes, outputs: y });
  },
  entropy: ({ emitter, x: [logits, probs], y: [entropy, mean] }) => {
    const axes = emitter.ints([1]);
    emitter.emit('ReduceSum', [emitter.emit('Mul', [logits!, probs!]), axes], {
      attributes: { keepdims: 0 },
      outputs: [mean!],
    });
    const column = emitter.emit('Add', [emitter.emit('ReduceMax', [logits!, axes]), negLogTop(emitter, probs!)]);
    emitter.emit('Sub', [emitter.emit('Squeeze', [column, axes]), mean!], { outputs: [entropy!] });
  },
};
