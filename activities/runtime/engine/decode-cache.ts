/**
 * Keys and values of the calls that one version is generating for: row-major, start-aligned, [row, head, window, width]
 * a layer. A row that ends is replaced by the last one. The window grows by the graphs' multiple, which keeps a row's
 * result independent of its neighbours (shared/model/interface.ts).
 */
import type { DecoderConfig } from '../../../shared/model/config.ts';
import { cacheWindowMultiple } from '../../../shared/model/interface.ts';
import { floatTensor, floatsOf } from './session.ts';
import type { Feeds } from './session.ts';

type Kind = 'k' | 'v';
const kinds: readonly Kind[] = ['k', 'v'];

/** Neither a decode step nor a prefill's logits have fewer rows: kernels for a single row round differently. */
export const fewestRows = 2;

export interface CacheViews {
  readonly rows: number;
  readonly feeds: Feeds;
  readonly fetches: Feeds;
}

export class DecodeCache {
  private readonly config: DecoderConfig;
  private window = cacheWindowMultiple;
  private capacity = 0;
  private buffers: Record<Kind, Float32Array[]> = { k: [], v: [] };
  /** Of these buffers; the next step has as many rows most of the time. */
  private known: CacheViews | undefined;

  constructor(config: DecoderConfig) {
    this.config = config;
  }

  /** Makes room for `rows` rows of up to `length` tokens and one more; `filled` rows keep their entries. */
  reserve(rows: number, length: number, filled: number): void {
    const window = Math.max(
      filled === 0 ? 0 : this.window,
      cacheWindowMultiple * Math.ceil((length + 1) / cacheWindowMultiple),
    );
    const capacity = Math.max(this.capacity, rows, fewestRows);
    if (window === this.window && capacity === this.capacity) return;
    const { numLayers, numKvHeads, headDim } = this.config;
    const old = this.buffers;
    const oldWindow = this.window;
    this.buffers = { k: [], v: [] };
    this.known = undefined;
    for (const kind of kinds) {
      for (let layer = 0; layer < numLayers; layer++) {
        const grown = new Float32Array(capacity * numKvHeads * window * headDim);
        for (let head = 0; head < filled * numKvHeads; head++) {
          const from = head * oldWindow * headDim;
          grown.set(old[kind][layer]!.subarray(from, from + oldWindow * headDim), head * window * headDim);
        }
        this.buffers[kind].push(grown);
      }
    }
    this.window = window;
    this.capacity = capacity;
  }

  /** Copies row `source` of a prefill's outputs ([B, heads, width, headDim]) into `row`. */
  fill(row: number, outputs: Feeds, source: number, width: number, length: number): void {
    const { numLayers, numKvHeads, headDim } = this.config;
    for (const kind of kinds) {
      for (let layer = 0; layer < numLayers; layer++) {
        const values = floatsOf(outputs[`${kind}.${layer}`]!);
        for (let head = 0; head < numKvHeads; head++) {
          const from = (source * numKvHeads + head) * width * headDim;
          this.buffers[kind][layer]!.set(values.subarray(from, from + length * headDim), this.at(row, head, 0));
        }
      }
    }
  }

  /** Writes the entries of several steps ([B, heads, chunk, headDim]): of each row the first `counts[row]`. */
  appendChunk(outputs: Feeds, lengths: readonly number[], counts: readonly number[]): void {
    const { numLayers, numKvHeads, headDim } = this.config;
    for (const kind of kinds) {
      for (let layer = 0; layer < numLayers; layer++) {
        const tensor = outputs[`${kind}.${layer}`]!;
        const [values, chunk] = [floatsOf(tensor), tensor.dims[2]!];
        const buffer = this.buffers[kind][layer]!;
        for (let row = 0; row < lengths.length; row++) {
          for (let head = 0; head < numKvHeads; head++) {
            const from = (row * numKvHeads + head) * chunk * headDim;
            buffer.set(values.subarray(from, from + counts[row]! * headDim), this.at(row, head, lengths[row]!));
          }
        }
      }
    }
  }

  move(from: number, to: number): void {
    const [start, end] = [this.at(from, 0, 0), this.at(from + 1, 0, 0)];
    for (const kind of kinds) for (const buffer of this.buffers[kind]) buffer.copyWithin(this.at(to, 0, 0), start, end);
  }

  /** The first `rows` rows as what graphs read (`past_*`) and what a decode step writes in place (`next_*`), without a copy. */
  views(rows: number): CacheViews {
    if (this.known?.rows === rows) return this.known;
    const { numLayers, numKvHeads, headDim } = this.config;
    const shape = [rows, numKvHeads, this.window, headDim];
    const feeds: Feeds = {};
    const fetches: Feeds = {};
    for (const kind of kinds) {
      for (let layer = 0; layer < numLayers; layer++) {
        const tensor = floatTensor(this.buffers[kind][layer]!.subarray(0, this.at(rows, 0, 0)), shape);
        feeds[`past_${kind}.${layer}`] = tensor;
        fetches[`next_${kind}.${layer}`] = tensor;
      }
    }
    return (this.known = { rows, feeds, fetches });
  }

  private at(row: number, head: number, position: number): number {
    const { numKvHeads, headDim } = this.config;
    return ((row * numKvHeads + head) * this.window + position) * headDim;
  }
}
