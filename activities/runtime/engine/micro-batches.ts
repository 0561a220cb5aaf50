/**
 * Packs sequences of unequal length into right-padded graph inputs: neighbours in length share a run, and a run holds
 * at most so many cells. The plan depends on lengths and order alone, so the sums it leads to have the same bits every time.
 * Only the positions that predict a response token are scored; they stand row after row in arrays [N].
 */
import { widthMultiple } from '../../../shared/model/pieces.ts';

/** A sequence as the graphs see it: position t predicts token t + 1, so the last token is only a target. */
export interface Packable {
  promptIds: Int32Array;
  responseIds: Int32Array;
}

export interface MicroBatch {
  /** Indices of the sequences, one a row. */
  rows: number[];
  /** Padded length T. */
  width: number;
}

const paddedLength = (length: number) => Math.ceil(length / widthMultiple(length)) * widthMultiple(length);

const inputLength = (sequence: Packable) => sequence.promptIds.length + sequence.responseIds.length - 1;

/** Runs that hold every sequence once, longest first. A sequence longer than `maxTokens` runs alone. */
export function planMicroBatches(sequences: readonly Packable[], maxTokens: number): MicroBatch[] {
  const order = sequences.map((_, index) => index);
  order.sort((a, b) => inputLength(sequences[b]!) - inputLength(sequences[a]!) || a - b);
  const batches: MicroBatch[] = [];
  let open: MicroBatch | undefined;
  for (const row of order) {
    if (open === undefined || (open.rows.length + 1) * open.width > maxTokens) {
      open = { rows: [], width: paddedLength(inputLength(sequences[row]!)) };
      batches.push(open);
    }
    open.rows.push(row);
  }
  return batches;
}

/** A micro-batch as runs of at most `maxTokens` cells; itself where it fits. */
export function piecesOf(sequences: readonly Packable[], { rows }: MicroBatch, maxTokens: number): MicroBatch[] {
  const own = rows.map((index) => sequences[index]!);
  return planMicroBatches(own, maxTokens).map((piece) => ({ ...piece, rows: piece.rows.map((at) => rows[at]!) }));
}

/** The integers of one run (shared/model/interface.ts). */
export interface PackedBatch {
  /** [B, T] */
  inputIds: Int32Array;
  /** [N]; of the positions b * T + t that are scored. */
  positions: Int32Array;
  /** [B * T]; each position's index in `positions`, or N. */
  places: Int32Array;
  /** [N] */
  targets: Int32Array;
  /** For each row, where its response begins in arrays [N]. */
  starts: Int32Array;
}

export function packBatch(sequences: readonly Packable[], { rows, width }: MicroBatch): PackedBatch {
  const count = rows.reduce((sum, index) => sum + sequences[index]!.responseIds.length, 0);
  const inputIds = new Int32Array(rows.length * width);
  const places = new Int32Array(rows.length * width).fill(count);
  const positions = new Int32Array(count);
  const targets = new Int32Array(count);
  const starts = new Int32Array(rows.length);
  let place = 0;
  rows.forEach((index, row) => {
    const { promptIds, responseIds } = sequences[index]!;
    inputIds.set(promptIds, row * width);
    inputIds.set(responseIds.subarray(0, -1), row * width + promptIds.length);
    targets.set(responseIds, place);
    starts[row] = place;
    const first = row * width + promptIds.length - 1;
    for (let token = 0; token < responseIds.length; token++, place++) {
      positions[place] = first + token;
      places[first + token] = place;
    }
  });
  return { inputIds, positions, places, targets, starts };
}

/** [N] with `values(index)`: one number a response token, or one for all. */
export function packResponses(
  sequences: readonly Packable[],
  { rows }: MicroBatch,
  { starts, targets }: PackedBatch,
  values: (index: number) => Float32Array | number,
): Float32Array {
  const packed = new Float32Array(targets.length);
  rows.forEach((index, row) => {
    const [from, value] = [starts[row]!, values(index)];
    if (typeof value === 'number') packed.fill(value, from, from + sequences[index]!.responseIds.length);
    else packed.set(value, from);
  });
  return packed;
}

/** A view of row `row`'s part of an output [N]. */
export function responseView({ starts }: PackedBatch, row: number, packed: Float32Array): Float32Array {
  return packed.subarray(starts[row], starts[row + 1]);
}
