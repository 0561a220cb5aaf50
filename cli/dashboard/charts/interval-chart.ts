/** Scores with their intervals at places among the iterations: held-out evaluations. */
import { line } from 'd3-shape';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { makeFrame, size } from './frame.ts';
import type { StageBand } from './frame.ts';
import type { Interval } from '../../../shared/evaluation/bootstrap.ts';
import { emptyChart } from './line-chart.ts';

export interface IntervalPoint {
  /** On the x axis; 0 is before the first iteration. */
  place: number;
  label: string;
  href: string | null;
  value: number;
  /** 95 % interval; null where none was computed. */
  interval: Interval | null;
}

export interface IntervalChartPlan {
  title: string;
  note: string;
  count: number;
  series: readonly { name: string; points: readonly IntervalPoint[] }[];
  bands: readonly StageBand[];
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

export function intervalChart({ title, note, count, series, bands }: IntervalChartPlan): Html {
  const all = series.flatMap(({ points }) => points);
  if (all.length === 0) return emptyChart(title, note);
  const ends = all.flatMap(({ value, interval }) => [value, interval?.[0] ?? value, interval?.[1] ?? value]);
  const { x, y, back } = makeFrame(count, Math.min(0, ...ends), Math.max(...ends), bands);
  const path = line<IntervalPoint>()
    .x(({ place }) => x(place))
    .y(({ value }) => y(value))
    .digits(1);
  const marks = series.map(
    ({ points }, index) =>
      html`<path class="line s${index}" d="${path([...points]) ?? ''}"/>${points.map((point) => mark(point, index, x, y))}`,
  );
  const spoken = all.map(({ label, value }) => `${label} ${percent(value)}`).join(', ');
  return html`<figure class="chart">
    <figcaption>
      <b>${title}</b> <span class="note">${note}</span>${
        series.length > 1 &&
        html`<span class="legend">${series.map(({ name }, index) => html`<span class="key s${index}">${name}</span>`)}</span>`
      }
    </figcaption>
    <svg viewBox="0 0 ${size.width} ${size.height}" role="group" aria-label="${title}: ${spoken}">${back}${marks}</svg>
  </figure>`;
}

function mark(
  { place, label, href, value, interval }: IntervalPoint,
  index: number,
  x: (place: number) => number,
  y: (value: number) => number,
): Html {
  const at = x(place).toFixed(1);
  const range = interval === null ? '' : `, 95 % interval ${percent(interval[0])} to ${percent(interval[1])}`;
  const bar =
    interval !== null &&
    html`<path class="whisker s${index}" d="M${at},${y(interval[0]).toFixed(1)}V${y(interval[1]).toFixed(1)}"/>`;
  const dot = html`${bar}<circle class="dot s${index}" cx="${at}" cy="${y(value).toFixed(1)}" r="4"><title>${label}: ${percent(value)}${range}</title></circle>`;
  return href === null ? dot : html`<a href="${href}" aria-label="${label}: ${percent(value)}${range}">${dot}</a>`;
}
