/** How far a result is from what was expected. */

/** Largest error over the largest expected magnitude (at least `floor`); Infinity for another length or no number. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>, floor = 0): number {
  if (actual.length !== expected.length) return Infinity;
  let [error, size] = [0, floor];
  for (let i = 0; i < expected.length; i += 1) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (Number.isNaN(difference)) return Infinity;
    error = Math.max(error, difference);
    size = Math.max(size, Math.abs(expected[i]!));
  }
  return error === 0 ? 0 : error / size;
}
