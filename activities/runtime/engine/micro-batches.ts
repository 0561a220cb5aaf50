/**
 * Packs sequences of unequal length into right-padded graph inputs: neighbours in length share a run, and a run holds
 * at most so many cells. The plan depends on lengths and order alone, so the sums it leads to have the same bits every time.
 */
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

/** T is a multiple of this, which keeps the number of distinct shapes small. */
const widthMultiple = 8;

const inputLength = (sequence: Packable) => sequence.promptIds.length + sequence.responseIds.length - 1;

/** Runs that hold every sequence once, longest first. A sequence longer than `maxTokens` runs alone. */
export function planMicroBatches(sequences: readonly Packable[], maxTokens: number): MicroBatch[] {
  const order = sequences.map((_, index) => index);
  order.sort((a, b) => inputLength(sequences[b]!) - inputLength(sequences[a]!) || a - b);
  const batches: MicroBatch[] = [];
  let open: MicroBatch | undefined;
  for (const row of order) {
    if (open === undefined || (open.rows.length + 1) * open.width > maxTokens) {
      open = { rows: [], width: Math.ceil(inputLength(sequences[row]!) / widthMultiple) * widthMultiple };
      batches.push(open);
    }
    open.rows.push(row);
  }
  return batches;
}

export interface PackedIds {
  /** [rows, width] */
  inputIds: Int32Array;
  /** [rows, width]; the token after each position. */
  targets: Int32Array;
}

export function packIds(sequences: readonly Packable[], { rows, width }: MicroBatch): PackedIds {
  const inputIds = new Int32Array(rows.length * width);
  const targets = new Int32Array(rows.length * width);
  rows.forEach((index, row) => {
    const { promptIds, responseIds } = sequences[index]!;
    const at = row * width;
    inputIds.set(promptIds, at);
    inputIds.set(responseIds.subarray(0, -1), at + promptIds.length);
    targets.set(promptIds.subarray(1), at);
    targets.set(responseIds, at + promptIds.length - 1);
  });
  return { inputIds, targets };
}

/** [rows, width] with `values(index)`, one a response token or one for all, at the positions that predict the response. */
export function packResponses(
  sequences: readonly Packable[],
  { rows, width }: MicroBatch,
  values: (index: number) => Float32Array | number,
): Float32Array {
  const packed = new Float32Array(rows.length * width);
  rows.forEach((index, row) => {
    const { promptIds, responseIds } = sequences[index]!;
    const from = row * width + promptIds.length - 1;
    const value = values(index);
    if (typeof value === 'number') packed.fill(value, from, from + responseIds.length);
    else packed.set(value, from);
  });
  return packed;
}

/** A view of the response's part of row `row` of a packed output. */
export function responseView(sequence: Packable, batch: MicroBatch, row: number, packed: Float32Array): Float32Array {
  const from = row * batch.width + sequence.promptIds.length - 1;
  return packed.subarray(from, from + sequence.responseIds.length);
}
