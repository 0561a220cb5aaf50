/** Shares of a whole over iterations, stacked to one: which patterns designs have. */
import { area, stack } from 'd3-shape';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { makeFrame, size } from './frame.ts';
import type { StageBand } from './frame.ts';
import { emptyChart, legend } from './line-chart.ts';

export interface ShareChartPlan {
  title: string;
  note: string;
  /** Counts by name, one record a place; null where nothing was counted. */
  counts: readonly (Readonly<Record<string, number>> | null)[];
  bands: readonly StageBand[];
}

/** Names beyond these are one: `other`. */
const namesShown = 7;

export function shareChart({ title, note, counts, bands }: ShareChartPlan): Html {
  const total = new Map<string, number>();
  for (const record of counts)
    for (const [name, count] of Object.entries(record ?? {})) total.set(name, (total.get(name) ?? 0) + count);
  if (total.size === 0) return emptyChart(title, note);
  const ordered = [...total].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
  const names = ordered.length > namesShown ? [...ordered.slice(0, namesShown - 1), 'other'] : ordered;
  const rows = counts.map((record) => sharesOf(record ?? {}, names));
  const { x, y, back } = makeFrame(counts.length, 0, 1, bands);
  const layers = stack<Record<string, number>>().keys(names)(rows);
  const shape = area<[number, number]>()
    .x((_span, index) => x(index + 1))
    .y0(([low]) => y(low))
    .y1(([, high]) => y(high))
    .digits(1);
  // One iteration has no width: it is drawn as wide as the chart.
  const drawn = layers.map((layer, index) => {
    const spans = layer.map(([low, high]) => [low, high] as [number, number]);
    const [low, high] = spans[0] ?? [0, 0];
    const d = spans.length === 1 ? `M${x(0)},${y(low)}H${x(1)}V${y(high)}H${x(0)}Z` : (shape(spans) ?? '');
    return html`<path class="share s${index}" d="${d}"><title>${names[index]}</title></path>`;
  });
  const spoken = names.map((name) => `${name} ${(100 * (rows.at(-1)?.[name] ?? 0)).toFixed(0)} %`).join(', ');
  return html`<figure class="chart">
    <figcaption><b>${title}</b> <span class="note">${note}</span>${legend(names.map((name) => ({ name })))}</figcaption>
    <svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${title}, newest: ${spoken}">
      ${back}${drawn}
    </svg>
  </figure>`;
}

function sharesOf(record: Readonly<Record<string, number>>, names: readonly string[]): Record<string, number> {
  const all = Object.values(record).reduce((sum, count) => sum + count, 0);
  const shares: Record<string, number> = Object.fromEntries(names.map((name) => [name, 0]));
  for (const [name, count] of Object.entries(record)) {
    const key = name in shares ? name : 'other';
    shares[key] = (shares[key] ?? 0) + (all === 0 ? 0 : count / all);
  }
  return shares;
}
