/** A study's table: every variant over its seeds, mean ± sample deviation, and its rows as CSV for figures. */
import { csvText } from './csv.ts';

/** One variant with one seed. */
export interface StudyCell {
  variant: string;
  seed: number;
  /** Name in the registry of systems. */
  system: string;
  /** The run that was trained, or whose cold start was measured. */
  runId: string;
  /** `failed` cells have no numbers. */
  status: 'finished' | 'failed';
  failure: string | null;
  /** Id of the evaluation that the table reports. */
  evaluation: string | null;
  /** avg@k before training (the cold start's) and of the reported evaluation. */
  start: number | null;
  average: number | null;
  majority: number | null;
  callsPerAnswer: number | null;
  responseTokensPerAnswer: number | null;
  /** Model calls and tokens (prompt and response) that training or search took, the cold start not counted. */
  learningCalls: number;
  learningTokens: number;
}

/** One point of a learning curve. */
export interface CurvePoint {
  variant: string;
  seed: number;
  /** Iterations since the cold start, over all stages. */
  iteration: number;
  learner: string;
  meanReward: number;
  validDesigns: number | null;
  calls: number | null;
}

export interface StudyRow {
  variant: string;
  system: string;
  seeds: number;
  failed: number;
  average: Spread | null;
  gain: Spread | null;
  majority: Spread | null;
  callsPerAnswer: Spread | null;
  responseTokensPerAnswer: Spread | null;
  learningCalls: Spread | null;
}

export interface Spread {
  mean: number;
  /** Sample standard deviation; null for one seed. */
  deviation: number | null;
}

export function spreadOf(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: known.length < 2 ? null : Math.sqrt(squares / (known.length - 1)) };
}

/** Rows in the order in which variants first appear. */
export function studyRows(cells: readonly StudyCell[]): StudyRow[] {
  const variants = [...new Set(cells.map(({ variant }) => variant))];
  return variants.map((variant) => {
    const own = cells.filter((cell) => cell.variant === variant);
    const finished = own.filter(({ status }) => status === 'finished');
    const spread = (of: (cell: StudyCell) => number | null) => spreadOf(finished.map(of));
    return {
      variant,
      system: own[0]!.system,
      seeds: own.length,
      failed: own.length - finished.length,
      average: spread(({ average }) => average),
      gain: spread(({ average, start }) => (average === null || start === null ? null : average - start)),
      majority: spread(({ majority }) => majority),
      callsPerAnswer: spread(({ callsPerAnswer }) => callsPerAnswer),
      responseTokensPerAnswer: spread(({ responseTokensPerAnswer }) => responseTokensPerAnswer),
      learningCalls: spread(({ learningCalls }) => learningCalls),
    };
  });
}

/** What was measured of a cell. */
export const cellNumbers = [
  'start',
  'average',
  'majority',
  'callsPerAnswer',
  'responseTokensPerAnswer',
  'learningCalls',
  'learningTokens',
] as const satisfies readonly (keyof StudyCell)[];

const cellColumns = [
  'variant',
  'seed',
  'system',
  'runId',
  'status',
  'failure',
  'evaluation',
  ...cellNumbers,
] as const satisfies readonly (keyof StudyCell)[];

/** One row a variant and seed. */
export const cellsCsv = (cells: readonly StudyCell[]): string =>
  csvText(
    cellColumns,
    cells.map((cell) => cellColumns.map((column) => cell[column])),
  );

const curveColumns = [
  'variant',
  'seed',
  'iteration',
  'learner',
  'meanReward',
  'validDesigns',
  'calls',
] as const satisfies readonly (keyof CurvePoint)[];

/** One row a committed iteration. */
export const curvesCsv = (points: readonly CurvePoint[]): string =>
  csvText(
    curveColumns,
    points.map((point) => curveColumns.map((column) => point[column])),
  );

/** The table as Markdown; shares in percent, gains in points. */
export function studyMarkdown(rows: readonly StudyRow[]): string {
  const show = (spread: Spread | null, factor: number, digits: number) =>
    spread === null
      ? '–'
      : `${(factor * spread.mean).toFixed(digits)}${spread.deviation === null ? '' : ` ± ${(factor * spread.deviation).toFixed(digits)}`}`;
  const titles = [
    'variant',
    'avg@k %',
    'gain',
    'majority@k %',
    'calls/answer',
    'response tokens/answer',
    'calls of learning',
    'seeds',
  ];
  const lines = rows.map((row) => [
    row.variant,
    show(row.average, 100, 1),
    show(row.gain, 100, 1),
    show(row.majority, 100, 1),
    show(row.callsPerAnswer, 1, 2),
    show(row.responseTokensPerAnswer, 1, 1),
    show(row.learningCalls, 1, 0),
    row.failed === 0 ? String(row.seeds) : `${row.seeds} (${row.failed} failed)`,
  ]);
  return [titles, titles.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
