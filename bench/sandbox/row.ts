/** One line of the bench's table, and the numbers of it. */
export function show(what: string, measured: string, goal = ''): void {
  console.log(`${what.padEnd(52)} ${measured.padEnd(44)} ${goal}`);
}

/** The value below which a share of the sorted values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
export const met = (isMet: boolean, goal: string): string => `${goal}: ${isMet ? 'met' : 'NOT MET'}`;

/** Percent of a core that a loop of this process gets here and now: below 90 the figures are those of a busy machine. */
export function coreShare(): number {
  const [began, before] = [performance.now(), process.cpuUsage()];
  while (performance.now() - began < 400);
  const { user, system } = process.cpuUsage(before);
  return Math.min(100, (user + system) / 10 / (performance.now() - began));
}
