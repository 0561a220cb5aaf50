/** A run's report as text: the table of held-out scores, a learned design, and the next commands to type. */
import type { RunReport } from '../run-report.ts';
import { counted, fixed, percent, version } from './numbers.ts';
import type { Paint } from './paint.ts';
import { renderTable } from './table.ts';

const indent = (text: string) => text.split('\n').map((line) => `    ${line}`);

/** Lines of the table of evaluations; one line saying so where there is none. */
export function evaluationTable({ evaluations }: Pick<RunReport, 'evaluations'>): string[] {
  if (evaluations.length === 0) return ['no evaluation has been recorded yet'];
  const start = evaluations.find(({ name }) => name === 'cold-start');
  const rows = evaluations.map((row) => [
    row.name,
    version(row.policyVersion),
    percent(row.average),
    start !== undefined && isComparable(row, start) ? gain(row.average - start.average) : '',
    `@${row.samples}`,
    String(row.questions),
    percent(row.validDesigns),
    fixed(row.callsPerAnswer, 2),
  ]);
  return renderTable(
    [
      { title: 'evaluation' },
      { title: 'policy' },
      { title: 'avg@k', align: 'right' },
      { title: 'gain', align: 'right' },
      { title: 'k' },
      { title: 'questions', align: 'right' },
      { title: 'valid designs', align: 'right' },
      { title: 'calls/answer', align: 'right' },
    ],
    rows,
  );
}

type Row = RunReport['evaluations'][number];

/** Measured alike, with as many samples of as many questions. */
const isComparable = (row: Row, start: Row) =>
  row.name !== start.name && row.samples === start.samples && row.questions === start.questions;

const gain = (share: number) => `${share >= 0 ? '+' : ''}${(100 * share).toFixed(1)}`;

/** Pages of the run that can be opened now; null where nothing serves them. */
export interface RunPages {
  dashboardUrl: string | null;
  uiUrl: string | null;
}

/** What was learned and where to look. */
export function reportText(report: RunReport, { dashboardUrl, uiUrl }: RunPages, paint: Paint): string {
  const { run, design, iterations } = report;
  const lines = [
    `${paint.bold(run._id)}: ${run.status} after ${counted(iterations, 'iteration')} (recipe ${run.recipe.name}, seed ${run.recipe.seed})`,
    '',
    ...evaluationTable(report),
  ];
  if (design !== null) {
    lines.push('', paint.bold('A design that the trained Designer wrote:'), `  question  ${design.question}`);
    lines.push(...indent(design.script), `  answer    ${design.answer ?? '–'} (right)`);
  }
  lines.push('', paint.bold('Where to look:'));
  lines.push(`  dashboard     ${dashboardUrl ?? 'npx metaagentx ui'}`);
  if (uiUrl !== null) lines.push(`  Temporal UI   ${uiUrl}`);
  lines.push(`  the run       npx metaagentx inspect ${run._id}`);
  if (design !== null) lines.push(`  that design   npx metaagentx inspect ${design.id}`);
  lines.push(
    `  try it        npx metaagentx solve ${run._id} "${(design?.question ?? 'your question').replaceAll('"', '\\"')}"`,
  );
  return lines.join('\n');
}
