/** Lines over iterations as SVG, with the stages behind them. The values ride along as JSON for the pointer and keys. */
import { line } from 'd3-shape';
import { html, jsonBlock } from '../html.ts';
import type { Html } from '../html.ts';
import { makeFrame, size } from './frame.ts';
import type { StageBand } from './frame.ts';

export interface Series {
  name: string;
  /** One a place on the x axis, from place 1; null where nothing was measured. */
  values: readonly (number | null)[];
}

export interface ChartPlan {
  id: string;
  title: string;
  /** What the values are, for the reader: unit, direction. */
  note: string;
  series: readonly Series[];
  bands: readonly StageBand[];
  /** Bounds that are always shown. */
  include?: readonly number[];
}

const significant = (value: number | null) => (value === null ? null : Number(value.toPrecision(5)));

export function lineChart({ id, title, note, series, bands, include = [] }: ChartPlan): Html {
  const known = series.flatMap(({ values }) => values.filter((value): value is number => value !== null));
  if (known.length === 0) return emptyChart(title, note);
  const count = Math.max(...series.map(({ values }) => values.length));
  const { x, y, back } = makeFrame(count, Math.min(...known, ...include), Math.max(...known, ...include), bands);
  const path = line<number | null>()
    .defined((value) => value !== null)
    .x((_value, index) => x(index + 1))
    .y((value) => y(value!))
    .digits(1);
  const marks = series.map(({ values }, index) => {
    const alone = count === 1 || values.filter((value) => value !== null).length === 1;
    return html`<path class="line s${index}" d="${path([...values]) ?? ''}"/>${
      alone &&
      values.map(
        (value, place) =>
          value !== null && html`<circle class="dot s${index}" cx="${x(place + 1)}" cy="${y(value)}" r="3"/>`,
      )
    }`;
  });
  const first = series.map(({ name, values }) => summaryOf(name, values)).join('; ');
  return html`<figure class="chart" data-chart="${id}">
    <figcaption><b>${title}</b> <span class="note">${note}</span>${legend(series)}</figcaption>
    <svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${title}: ${first}" tabindex="0">
      ${back}${marks}
      <path class="cursor" d=""/>
    </svg>
    ${jsonBlock(`data-${id}`, {
      left: size.left,
      right: size.width - size.right,
      top: size.top,
      bottom: size.height - size.bottom,
      count,
      series: series.map(({ name, values }) => ({ name, values: values.map(significant) })),
    })}
  </figure>`;
}

export const emptyChart = (title: string, note: string): Html =>
  html`<figure class="chart">
    <figcaption><b>${title}</b> <span class="note">${note}</span></figcaption>
    <p class="none">nothing measured yet</p>
  </figure>`;

export const legend = (series: readonly { name: string }[]): Html | null =>
  series.length < 2
    ? null
    : html`<span class="legend">${series.map(({ name }, index) => html`<span class="key s${index}">${name}</span>`)}</span>`;

/** For those who do not see the lines: ends and extremes. */
function summaryOf(name: string, values: readonly (number | null)[]): string {
  const known = values.filter((value): value is number => value !== null);
  if (known.length === 0) return `${name}: none`;
  const text = (value: number) => String(significant(value));
  return `${name} from ${text(known[0]!)} to ${text(known.at(-1)!)}, lowest ${text(Math.min(...known))}, highest ${text(Math.max(...known))}`;
}
