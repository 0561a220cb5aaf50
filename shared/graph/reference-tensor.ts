/** Dense tensors in double precision and the loops over them that the reference rules share. */
export interface Tensor {
  readonly shape: readonly number[];
  /** Row-major; integers and truth values (0, 1) too. */
  readonly data: Float64Array;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

export function tensor(shape: readonly number[], data: ArrayLike<number>): Tensor {
  return { shape, data: Float64Array.from(data) };
}

/** A tensor whose entry at each multi-index is `entry(index)`. The index array is reused. */
export function generate(shape: readonly number[], entry: (index: readonly number[]) => number): Tensor {
  const data = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i += 1) {
    data[i] = entry(index);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      index[axis]! += 1;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return { shape, data };
}

/** The entry of `x` at `index`, broadcast: leading axes of the index that x lacks are ignored, size-1 axes repeat. */
export function read(x: Tensor, index: readonly number[]): number {
  const lead = index.length - x.shape.length;
  let offset = 0;
  for (let axis = 0; axis < x.shape.length; axis += 1) {
    const size = x.shape[axis]!;
    offset = offset * size + (size === 1 ? 0 : index[axis + lead]!);
  }
  return x.data[offset]!;
}

export const mapTensor = (x: Tensor, f: (value: number) => number): Tensor => ({ shape: x.shape, data: x.data.map(f) });

export function broadcastTo(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [left, right] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    return left === 1 ? right : left;
  });
}

/** The rows of a tensor along its last axis. */
export function rowsOf(x: Tensor): Float64Array[] {
  const width = x.shape.at(-1)!;
  return Array.from({ length: sizeOf(x.shape.slice(0, -1)) }, (_, row) =>
    x.data.subarray(row * width, (row + 1) * width),
  );
}
