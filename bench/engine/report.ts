/** The table of one benchmark run. */
export interface Row {
  figure: string;
  ours: string;
  rival: string;
  /** As the goal counts it; null where there was no rival. */
  ratio: number | null;
  goal: string;
}

export function table(title: string, rows: readonly Row[]): string {
  const lines = rows.map(
    ({ figure, ours, rival, ratio, goal }) =>
      `| ${figure} | ${ours} | ${rival} | ${ratio?.toFixed(2) ?? '–'} | ${goal} |`,
  );
  return [
    `\n## ${title}\n`,
    '| figure | ours | rival | ratio | goal |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}
