/**
 * Percentile bootstrap (Efron 1979) of means over questions. Questions are the units: the samples of one question are
 * not independent of each other. Resamples are drawn from a seeded stream, so equal data give equal intervals.
 */
import { createStream } from '../random.ts';

export const resamples = 2000;
/** Two-sided. */
export const confidence = 0.95;

export type Interval = readonly [low: number, high: number];

/** Means of each column in every resample of the rows; one list of `resamples` means a column. */
export function resampledMeans(columns: readonly (readonly number[])[], seedKey: string): number[][] {
  const rows = columns[0]?.length ?? 0;
  const stream = createStream(seedKey);
  const means = columns.map(() => new Array<number>(resamples).fill(0));
  for (let resample = 0; resample < resamples; resample++) {
    for (let draw = 0; draw < rows; draw++) {
      const row = stream.integer(resample * rows + draw, rows);
      for (let column = 0; column < columns.length; column++) means[column]![resample]! += columns[column]![row]!;
    }
  }
  return means.map((list) => list.map((sum) => sum / rows));
}

/** Interval of the mean of each column of `values` (equally long), by name. */
export function intervalsOf<Name extends string>(
  values: Readonly<Record<Name, readonly number[]>>,
  seedKey: string,
): Record<Name, Interval> {
  const names = Object.keys(values) as Name[];
  const means = resampledMeans(
    names.map((name) => values[name]),
    seedKey,
  );
  return Object.fromEntries(names.map((name, index) => [name, percentileInterval(means[index]!)])) as Record<
    Name,
    Interval
  >;
}

function percentileInterval(means: readonly number[]): Interval {
  const sorted = [...means].sort((a, b) => a - b);
  const tail = (1 - confidence) / 2;
  return [quantile(sorted, tail), quantile(sorted, 1 - tail)];
}

/** Linear between order statistics (type 7 of Hyndman and Fan 1996). */
export function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (position - below) * (high - low);
}
