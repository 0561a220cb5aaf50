/**
 * Text that workflows show in the Temporal UI: small Markdown tables, bars, links. Pure. The UI sets table cells without
 * any space between them, so each cell ends in one.
 */
import type { RunPlan } from '../shared/domain/plan.ts';

const gap = '\u2003';

/** A Markdown table; empty text where there are no rows. */
export function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell + gap).join(' | ')} |`;
  return [line(titles), `|${' --- |'.repeat(titles.length)}`, ...rows.map(line)].join('\n');
}

/** `done` of `total` as ten cells and numbers. */
export function progressBar(done: number, total: number): string {
  const cells = 10;
  const filled = total === 0 ? 0 : Math.floor((Math.min(done, total) / total) * cells);
  return `${'█'.repeat(filled)}${'░'.repeat(cells - filled)} ${done}/${total}`;
}

export const rewardText = (reward: number | null | undefined): string => (reward == null ? '–' : reward.toFixed(3));
export const percentText = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Where to look deeper: the dashboard's page of `path`, where the plan knows its address, and the command. */
export function lookDeeper({ dashboardUrl }: Pick<RunPlan, 'dashboardUrl'>, path: string): string {
  const page = dashboardUrl == null ? '' : `[dashboard](${dashboardUrl}/runs/${path}) · `;
  return `Look deeper: ${page}\`npx metaagentx inspect ${path}\``;
}
