/** Small pictures made of characters: a sparkline of a series, a bar of progress. */
const steps = [...'▁▂▃▄▅▆▇█'];

/** One character a value, scaled to the series' own range; the newest `width` values. A constant series is flat. */
export function sparkline(values: readonly number[], width = 40): string {
  const shown = values.slice(-width);
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const scale = high > low ? (steps.length - 1) / (high - low) : 0;
  return shown.map((value) => steps[Math.round((value - low) * scale)]!).join('');
}

/** `done` of `total` as a bar of `width` cells. */
export function bar(done: number, total: number, width = 24): string {
  const filled = total === 0 ? 0 : Math.round((Math.min(done, total) / total) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}
