/** Writes the pieces of one causal attention: heads, blocks of queries, prefixes of keys, masked probabilities. */
import { productOf, type Dim } from '../graph/dims.ts';
import type { CausalAttention, TensorType } from '../graph/ops.ts';
import { microsoft, type Emitter } from './emitter.ts';

/** Added to the score of a masked pair: finite, so that no row can become NaN, and far below any score. */
const maskedScore = -1e30;
/** With more blocks, masks of whole blocks would need more memory than scores in two parts cost time. */
const mostWholeMasks = 8;

export class AttentionWriter {
  /** Of the blocks. */
  readonly indices: readonly number[];
  readonly scale: number;
  private readonly emitter: Emitter;
  private readonly blocks: number;
  private readonly batch: Dim;
  private readonly length: Dim;
  private readonly headDim: number;
  private readonly kvHeads: number;
  /** Query heads of a key head. */
  private readonly group: number;

  /** `types` begin with q and k. */
  constructor(emitter: Emitter, { headDim, blocks }: CausalAttention, types: readonly TensorType[]) {
    this.emitter = emitter;
    this.blocks = blocks;
    this.indices = Array.from({ length: blocks }, (_, block) => block);
    this.scale = 1 / Math.sqrt(headDim);
    [this.batch, this.length] = types[0]!.shape as [Dim, Dim];
    this.headDim = headDim;
    this.kvHeads = Number(types[1]!.shape[2]) / headDim;
    this.group = Number(types[0]!.shape[2]) / headDim / this.kvHeads;
  }

  product(a: string, b: string, { transA = false, transB = false, alpha = 1 } = {}): string {
    const attributes = { transA: Number(transA), transB: Number(transB), alpha: { float: alpha } };
    return this.emitter.emit('FusedMatMul', [a, b], { domain: microsoft, attributes });
  }

  /** Heads of queries, or `width` numbers a query, as [B, kvHeads, rows, width] cut into blocks of rows. */
  queryBlocks(x: string, width = this.headDim): readonly string[] {
    const { emitter, blocks } = this;
    const heads = this.heads(x, this.group, width);
    if (blocks === 1) return [heads];
    return emitter.once(`blocks ${heads}`, () => {
      const outputs = this.indices.map(() => emitter.fresh());
      emitter.emit('Split', [heads], { attributes: { axis: 2, num_outputs: blocks }, outputs });
      return outputs;
    });
  }

  /** Keys or values of the blocks from `first` to `last`, [B, kvHeads, keys, headDim]. */
  keys(x: string, last: number, first = 0): string {
    const { emitter, blocks, length } = this;
    const heads = this.heads(x, 1, this.headDim);
    if (first === 0 && last === blocks - 1) return heads;
    return emitter.once(`keys ${heads} ${first} ${last}`, () => {
      const [start, end] = [emitter.share(length, first, blocks), emitter.share(length, last + 1, blocks)];
      return emitter.emit('Slice', [heads, start, end, emitter.ints([2])]);
    });
  }

  /** A block's probabilities [B, kvHeads, rows, keys]. */
  probabilities(q: string, k: string, block: number): string {
    return this.emitter.once(`probabilities ${q} ${k} ${block} of ${this.blocks}`, () =>
      this.emitter.emit('Softmax', [this.maskedScores(q, k, block)], { attributes: { axis: -1 } }),
    );
  }

  /** Blocks of rows as one. */
  joined(parts: readonly string[]): string {
    return parts.length === 1 ? parts[0]! : this.emitter.emit('Concat', parts, { attributes: { axis: 2 } });
  }

  /** The sum of parts of which part i covers the keys of the first i + 1 blocks. */
  sumOfPrefixes(parts: readonly string[]): string {
    const { emitter, batch, kvHeads, length, blocks, headDim } = this;
    const zeros = () => {
      const sizes = [emitter.dim(batch), emitter.ints([kvHeads]), emitter.share(length, 1, blocks)];
      const shape = emitter.emit('Concat', [...sizes, emitter.ints([headDim])], { attributes: { axis: 0 } });
      return emitter.emit('Expand', [emitter.constant('float32', [], [0]), shape]);
    };
    return parts.reduce((total, part) => {
      const block = emitter.once(`zeros ${batch} ${length} ${kvHeads} ${headDim} ${blocks}`, zeros);
      return emitter.emit('Add', [emitter.emit('Concat', [total, block], { attributes: { axis: 2 } }), part]);
    });
  }

  /** Each query's sum of out * g, [B, kvHeads, rows, 1] a block. */
  rowSums(out: string, g: string): readonly string[] {
    const { emitter, batch, length, kvHeads, group, headDim } = this;
    const products = emitter.emit('Mul', [out, g]);
    const apart = emitter.emit('Reshape', [products, emitter.shape([batch, length, kvHeads * group, headDim])]);
    const sums = emitter.emit('ReduceSum', [apart, emitter.ints([3])], { attributes: { keepdims: 0 } });
    return this.queryBlocks(sums, 1);
  }

  /** [B, kvHeads, rows, headDim] of queries as [B, T, heads * headDim]. */
  queryTokens(x: string, output: string): void {
    this.tokens(x, this.group, output);
  }

  keyTokens(x: string, output: string): void {
    this.tokens(x, 1, output);
  }

  /** x [B, T, kvHeads * group * width] as [B, kvHeads, T * group, width]: the heads of a group stand below each other. */
  private heads(x: string, group: number, width: number): string {
    const { emitter, batch, length, kvHeads } = this;
    return emitter.once(`heads ${x} ${group}`, () => {
      const apart = emitter.emit('Reshape', [x, emitter.shape([batch, length, kvHeads, group, width])]);
      const moved = emitter.emit('Transpose', [apart], { attributes: { perm: { ints: [0, 2, 1, 3, 4] } } });
      return emitter.emit('Reshape', [moved, emitter.shape([batch, kvHeads, productOf([length, group]), width])]);
    });
  }

  /** The inverse of `heads`. */
  private tokens(x: string, group: number, output: string): void {
    const { emitter, batch, length, kvHeads, headDim } = this;
    const apart = emitter.emit('Reshape', [x, emitter.shape([batch, kvHeads, length, group, headDim])]);
    const moved = emitter.emit('Transpose', [apart], { attributes: { perm: { ints: [0, 2, 1, 3, 4] } } });
    emitter.emit('Reshape', [moved, emitter.shape([batch, length, kvHeads * group * headDim])], { outputs: [output] });
  }

  private maskedScores(q: string, k: string, block: number): string {
    const { emitter, blocks } = this;
    const queries = this.queryBlocks(q)[block]!;
    const scores = (first: number, last: number) =>
      this.product(queries, this.keys(k, last, first), { transB: true, alpha: this.scale });
    if (block === 0) return emitter.emit('Add', [scores(0, 0), this.triangle()]);
    if (blocks <= mostWholeMasks) return emitter.emit('Add', [scores(0, block), this.mask(block)]);
    const own = emitter.emit('Add', [scores(block, block), this.triangle()]);
    return emitter.emit('Concat', [scores(0, block - 1), own], { attributes: { axis: 3 } });
  }

  /** Within one block: 0 where a key is not later than the query's token, else `maskedScore`; [rows, keys]. */
  private triangle(): string {
    const { emitter, length, blocks, group } = this;
    return emitter.once(`triangle ${length} ${blocks} ${group}`, () => {
      const int = (value: number) => emitter.constant('int64', [], [value]);
      const float = (value: number) => emitter.constant('float32', [], [value]);
      const size = emitter.emit('Squeeze', [emitter.share(length, 1, blocks)]);
      const keys = emitter.emit('Range', [int(0), size, int(1)]);
      const rows = emitter.emit('Range', [int(0), emitter.emit('Mul', [size, int(group)]), int(1)]);
      const tokens = emitter.emit('Unsqueeze', [emitter.emit('Div', [rows, int(group)]), emitter.ints([1])]);
      return emitter.emit('Where', [emitter.emit('Less', [tokens, keys]), float(maskedScore), float(0)]);
    });
  }

  /** The triangle after zeros for the keys of earlier blocks. */
  private mask(block: number): string {
    const { emitter, length, blocks, group } = this;
    return emitter.once(`mask ${length} ${blocks} ${group} ${block}`, () => {
      const none = emitter.ints([0]);
      const pads = [none, emitter.share(length, block, blocks), none, none];
      return emitter.emit('Pad', [this.triangle(), emitter.emit('Concat', pads, { attributes: { axis: 0 } })]);
    });
  }
}
